import { type Refusal, refuse } from './tensor.ts'

/** A table whose cells are not read for any type yet. `columns` is null where they have no names. */
export interface Table {
  readonly columns: readonly string[] | null
  readonly rows: readonly (readonly unknown[])[]
}

const MAX_COLUMNS = 10_000

/** Reads RFC 4180 CSV whose first line names the columns; empty lines are passed over. Cells stay text. */
export function parseCsv(text: string): Table | Refusal {
  const records = splitRecords(text.startsWith('\uFEFF') ? text.slice(1) : text)
  if (!Array.isArray(records)) return records
  const [columns, ...rows] = records
  if (!columns) return refuse('The CSV is empty; its first line must name the columns')
  if (columns.length > MAX_COLUMNS) return refuse(`The CSV has ${columns.length} columns; at most ${MAX_COLUMNS} are taken`)
  const ragged = rows.findIndex((row) => row.length !== columns.length)
  if (ragged >= 0) return refuse(`Row ${ragged + 1} of the CSV has ${rows[ragged]?.length} fields; its first line names ${columns.length}`)
  return { columns: columns.map((name) => name.trim()), rows }
}

/** One field from `at` on, and where it ends: at a comma, a line end or the end of the text. */
interface Field {
  readonly text: string
  readonly end: number
}

function splitRecords(text: string): string[][] | Refusal {
  const records: string[][] = []
  let record: string[] = []
  let at = 0
  while (at < text.length) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at)
    if (!field) return refuse(`Row ${records.length} of the CSV has a quoted field that does not end, or goes on after its end`)
    record.push(field.text)
    if (text[field.end] === ',') {
      at = field.end + 1
      if (at === text.length) record.push('')
      if (at < text.length) continue
    } else at = field.end + (text.startsWith('\r\n', field.end) ? 2 : 1)
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  return records
}

const PLAIN_END = /[,\r\n]/g

function plainField(text: string, at: number): Field {
  PLAIN_END.lastIndex = at
  const end = PLAIN_END.exec(text)?.index ?? text.length
  return { text: text.slice(at, end), end }
}

function quotedField(text: string, at: number): Field | null {
  let close = text.indexOf('"', at + 1)
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
  if (close < 0) return null
  const next = text[close + 1]
  if (next !== undefined && next !== ',' && next !== '\n' && next !== '\r') return null
  return { text: text.slice(at + 1, close).replaceAll('""', '"'), end: close + 1 }
}
