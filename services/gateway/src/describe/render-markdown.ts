const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as HTML shows it, in content and in quoted attributes. */
export const textToHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

/** The little of CommonMark that the introduction uses: paragraphs, tables, `code`, **strong**. Everything else stays text. */
export const renderMarkdown = (source: string): string =>
  source
    .split(/\n{2,}/)
    .map((part) => (part.startsWith('|') ? renderTable(part) : `<p>${inline(part)}</p>`))
    .join('')

const inline = (text: string): string =>
  textToHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')

function renderTable(text: string): string {
  const rows = text.split('\n').filter((line) => !/^\|[\s|:-]+\|$/.test(line))
  const cellsOf = (line: string): string[] => line.split('|').slice(1, -1)
  return `<table>${rows
    .map(
      (line) =>
        `<tr>${cellsOf(line)
          .map((cell) => `<td>${inline(cell.trim())}</td>`)
          .join('')}</tr>`,
    )
    .join('')}</table>`
}
