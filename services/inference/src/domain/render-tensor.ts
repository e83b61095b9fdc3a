import { encodeBase64 } from './encode-base64.ts'
import { fromHalf } from './half.ts'
import { elementCount, type Tensor } from './tensor.ts'

/** JSON texts of the elements `from` to `to`, joined by commas: 64-bit integers as integer literals, NaN and infinities as null, FP16 as numbers. */
function elementTexts({ datatype, data }: Tensor, from: number, to: number): string {
  if (Array.isArray(data)) return JSON.stringify(data.slice(from, to)).slice(1, -1)
  const part = from === 0 && to === data.length ? data : data.subarray(from, to)
  if (part instanceof BigInt64Array || part instanceof BigUint64Array) return part.join(',')
  if (datatype === 'BOOL') return Array.from(part, (value) => (value === 0 ? 'false' : 'true')).join(',')
  return JSON.stringify(datatype === 'FP16' ? Array.from(part, fromHalf) : Array.from(part)).slice(1, -1)
}

/** JSON text of a tensor's elements, flat. */
export const renderData = (tensor: Tensor): string => `[${elementTexts(tensor, 0, tensor.data.length)}]`

const headOf = ({ name, shape, datatype }: Tensor): string =>
  `{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"datatype":${JSON.stringify(datatype)}`

/** JSON text of one output of an inference response. */
export const renderTensor = (tensor: Tensor): string => `${headOf(tensor)},"data":${renderData(tensor)}}`

/** The same, with its elements left to the bytes behind the JSON. */
export const renderBinaryTensor = (tensor: Tensor, sizeBytes: number): string => `${headOf(tensor)},"parameters":{"binary_data_size":${sizeBytes}}}`

const PIECE_ELEMENTS = 16_384

/** The text of `renderTensor` in pieces, so that an answer of millions of elements is never one string. */
export function* renderPieces(tensor: Tensor): Generator<string> {
  yield `${headOf(tensor)},"data":[`
  for (let from = 0; from < tensor.data.length; from += PIECE_ELEMENTS) {
    const to = Math.min(tensor.data.length, from + PIECE_ELEMENTS)
    yield (from === 0 ? '' : ',') + elementTexts(tensor, from, to)
  }
  yield ']}'
}

/** JSON text of a tensor as nested lists; a scalar as its element. */
export const renderNested = (tensor: Tensor): string => renderBlock(tensor, tensor.shape, 0)

/** One text for each size of dimension 0, each nested as the other dimensions are. `flat` makes `[n, 1]` the same as `[n]`. */
export function renderRows(tensor: Tensor, flat: boolean): string[] {
  const [rows = 1, ...inner] = tensor.shape
  const shape = flat && inner.length === 1 && inner[0] === 1 ? [] : inner
  const size = elementCount(shape)
  return Array.from({ length: rows }, (_, row) => renderBlock(tensor, shape, row * size))
}

function renderBlock(tensor: Tensor, shape: readonly number[], from: number): string {
  const [size, ...inner] = shape
  if (size === undefined) return elementTexts(tensor, from, from + 1)
  if (inner.length === 0) return `[${elementTexts(tensor, from, from + size)}]`
  const step = elementCount(inner)
  return `[${Array.from({ length: size }, (_, index) => renderBlock(tensor, inner, from + index * step)).join(',')}]`
}

/** Rows of several outputs as objects, one key per output. */
export function renderRecords(outputs: readonly Tensor[], flat: boolean): string[] {
  const columns = outputs.map((output) => ({ key: JSON.stringify(output.name), rows: renderRows(output, flat) }))
  const rows = Math.max(0, ...columns.map((column) => column.rows.length))
  return Array.from({ length: rows }, (_, row) => `{${columns.map(({ key, rows: texts }) => `${key}:${texts[row] ?? 'null'}`).join(',')}}`)
}

/** TensorFlow Serving's convention: texts of an output whose name ends in `_bytes` are answered as `{"b64": ...}`. */
export function renderRowsWithBase64(tensor: Tensor): string[] {
  if (tensor.datatype !== 'BYTES' || !tensor.name.endsWith('_bytes') || !Array.isArray(tensor.data)) return renderRows(tensor, false)
  const texts = tensor.data.map((text) => `{"b64":"${encodeBase64(text)}"}`)
  const [rows = 1, ...inner] = tensor.shape
  const size = elementCount(inner)
  return Array.from({ length: rows }, (_, row) => (inner.length === 0 ? (texts[row] ?? '') : `[${texts.slice(row * size, (row + 1) * size).join(',')}]`))
}
