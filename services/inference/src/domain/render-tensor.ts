import { fromHalf } from './half.ts'
import type { Tensor } from './tensor.ts'

/** JSON text of a tensor's elements: 64-bit integers as integer literals, NaN and infinities as null, FP16 as numbers. */
export function renderData({ datatype, data }: Tensor): string {
  if (Array.isArray(data)) return JSON.stringify(data)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return `[${data.join(',')}]`
  if (datatype === 'BOOL') return `[${Array.from(data, (value) => (value === 0 ? 'false' : 'true')).join(',')}]`
  if (datatype === 'FP16') return JSON.stringify(Array.from(data, fromHalf))
  return JSON.stringify(Array.from(data))
}

/** JSON text of one output of an inference response. */
export const renderTensor = (tensor: Tensor): string =>
  `{"name":${JSON.stringify(tensor.name)},"shape":${JSON.stringify(tensor.shape)},"datatype":"${tensor.datatype}","data":${renderData(tensor)}}`
