/** What spreadsheets take for a formula at the start of a cell; full-width signs are read as the plain ones. */
const FORMULA = /^[\s\p{Cc}\u{feff}]*[=+\-@＝＋－＠|%]|^[\t\r\n]/u
/** A plain number is one, whatever its sign. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * Comma-separated values after RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe in front: whoever may log a param must not run
 * anything on the machine of whoever opens the table.
 */
export const toCsv = (rows: readonly (readonly string[])[]): string => rows.map((row) => `${row.map(toCell).join(',')}\r\n`).join('')

function toCell(value: string): string {
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
