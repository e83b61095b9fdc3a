import type { Column, Datatype } from '@millrace/contracts/model/model-spec.ts'
import { decodeBase64 } from './decode-base64.ts'

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const WHOLE = /^[+-]?\d{1,20}$/
/** How tables write that a number is missing. */
const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '<na>', '#n/a'])
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

/** A cell of a table as the JSON value that its element is read from. What does not fit is left as it is: the conversion refuses it with its place. */
export function castCell(cell: unknown, datatype: Datatype, column: Column | null, text: boolean): unknown {
  if (typeof cell !== 'string') return cell
  if (datatype === 'BYTES') return column?.type === 'binary' ? decodeBase64(cell) : cell
  if (column?.type === 'datetime' && datatype === 'INT64') return nanosecondsOf(cell)
  return text ? castText(cell.trim(), datatype) : cell
}

function castText(cell: string, datatype: Datatype): unknown {
  if (datatype === 'BOOL') return BOOLEANS.get(cell.toLowerCase()) ?? cell
  if (datatype === 'INT64' || datatype === 'UINT64') return WHOLE.test(cell) ? cell.replace(/^\+/, '') : cell
  if (MISSING.has(cell.toLowerCase())) return null
  return NUMBER.test(cell) ? Number(cell) : cell
}

/** An ISO 8601 instant as nanoseconds since 1970, as numpy counts them; UTC where it names no zone. */
function nanosecondsOf(cell: string): unknown {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?$/.exec(cell.trim())
  if (!match) return cell
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = match
  const seconds = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${zone}`) / 1000
  return Number.isFinite(seconds) ? `${BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))}` : cell
}
