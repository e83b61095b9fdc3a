import { textPath, textWidth } from './pixel-font.ts'

const CELL = 34
const MARGIN = 14

/** RFC 4180: quotes where a name holds a comma, a quote or a line end. */
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** Rows are actual classes, columns predicted ones; the first line and column name them. */
export function confusionCsv(classes: readonly string[], confusion: readonly (readonly number[])[]): string {
  const lines = confusion.map((counts, i) => [quoted(classes[i] ?? ''), ...counts].join(','))
  return `${[['actual', ...classes.map(quoted)].join(','), ...lines].join('\n')}\n`
}

function cell(count: number, share: number, x: number, y: number): string {
  const label = String(count)
  const text =
    count === 0 ? '' : `<path d="${textPath(label, x + (CELL - textWidth(label)) / 2, y + (CELL - 7) / 2)}" fill="${share > 0.5 ? '#fff' : '#123'}"/>`
  return `<rect x="${x}" y="${y}" width="${CELL - 1}" height="${CELL - 1}" fill="#1a6fb5" fill-opacity="${(0.05 + 0.95 * share).toFixed(3)}"/>${text}`
}

/** The confusion matrix as a picture; text is drawn as shapes, so that no font is needed. */
export function confusionSvg(classes: readonly string[], confusion: readonly (readonly number[])[]): string {
  const names = Math.max(...classes.map(textWidth), textWidth('actual'))
  const left = MARGIN * 2 + names
  const top = MARGIN * 2 + names
  const size = classes.length * CELL
  const cells = confusion.flatMap((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0)
    return counts.map((count, column) => cell(count, total === 0 ? 0 : count / total, left + column * CELL, top + row * CELL))
  })
  const rows = classes.map((name, i) => textPath(name, left - MARGIN / 2 - textWidth(name), top + i * CELL + 13))
  const columns = classes.map(
    (name, i) => `<path transform="translate(${left + i * CELL + 13} ${top - MARGIN / 2}) rotate(-90)" d="${textPath(name, 0, 0)}" fill="#123"/>`,
  )
  const width = left + size + MARGIN
  const height = top + size + MARGIN
  const corner = textPath('actual', MARGIN, top - 16) + textPath('predicted', MARGIN, MARGIN)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#fff"/>${cells.join('')}<path d="${rows.join('')}${corner}" fill="#123"/>${columns.join('')}</svg>`
}
