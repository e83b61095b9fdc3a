import { allocate, type Tensor } from './tensor.ts'

/** One request, or a part of one, that waits for its turn. */
export interface Waiting {
  /** Requests with equal keys may run together. */
  readonly key: string
  readonly rows: number
}

/**
 * Takes the oldest entry and, in order, whatever can run with it, up to `maxRows` rows. Nothing overtakes the oldest, so mixed shapes cannot starve it; an entry
 * larger than `maxRows` runs alone.
 */
export function takeBatch<Entry extends Waiting>(queue: readonly Entry[], maxRows: number): { batch: Entry[]; rest: Entry[] } {
  const batch: Entry[] = []
  const rest: Entry[] = []
  let rows = 0
  for (const entry of queue) {
    const fits = batch.length === 0 || (entry.key === batch[0]?.key && rows + entry.rows <= maxRows)
    if (fits) rows += entry.rows
    ;(fits ? batch : rest).push(entry)
  }
  return { batch, rest }
}

/** What must agree for two requests to run as one: names, datatypes and all dimensions but the first. */
export const batchKeyOf = (inputs: readonly Tensor[]): string => JSON.stringify(inputs.map(({ name, datatype, shape }) => [name, datatype, shape.slice(1)]))

/** Requests one below the other: dimension 0 adds up. All must have the same batch key. */
export function stack(requests: readonly (readonly Tensor[])[]): Tensor[] {
  const [first] = requests
  if (!first || requests.length === 1) return [...(first ?? [])]
  return first.map((tensor, index) => joinRows(requests.flatMap((inputs) => inputs[index] ?? [])) ?? tensor)
}

/** One tensor of several with the same row shape. */
export function joinRows(parts: readonly Tensor[]): Tensor | null {
  const [first] = parts
  if (!first) return null
  const shape = [parts.reduce((rows, { shape: [size = 1] }) => rows + size, 0), ...first.shape.slice(1)]
  if (first.datatype === 'BYTES') return { ...first, shape, data: parts.flatMap(({ data }) => (Array.isArray(data) ? data : [])) }
  const count = parts.reduce((sum, { data }) => sum + data.length, 0)
  const joined = allocate(first.datatype, count)
  const bytes = new Uint8Array(joined.buffer)
  let at = 0
  for (const { data } of parts) {
    if (Array.isArray(data)) continue
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return { ...first, shape, data: joined }
}

/** Rows `from` (inclusive) to `to` (exclusive), copied. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const perRow = tensor.data.length / (tensor.shape[0] ?? 1)
  return { ...tensor, shape: [to - from, ...tensor.shape.slice(1)], data: tensor.data.slice(from * perRow, to * perRow) }
}

/** Gives each request its rows of the outputs, in the order of `rows`; null when the outputs do not have one row per input row. */
export function unstack(outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | null {
  if (rows.length === 1) return [[...outputs]]
  const total = rows.reduce((sum, count) => sum + count, 0)
  if (outputs.some(({ shape }) => shape[0] !== total)) return null
  let from = 0
  return rows.map((count) => {
    const start = from
    from += count
    return outputs.map((output) => sliceRows(output, start, start + count))
  })
}

/** Cuts a request into parts of at most `maxRows` rows. */
export function splitRows(inputs: readonly Tensor[], rows: number, maxRows: number): Tensor[][] {
  if (rows <= maxRows) return [[...inputs]]
  const parts: Tensor[][] = []
  for (let from = 0; from < rows; from += maxRows) parts.push(inputs.map((input) => sliceRows(input, from, Math.min(rows, from + maxRows))))
  return parts
}
