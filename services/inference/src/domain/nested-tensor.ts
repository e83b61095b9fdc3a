import type { TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { decodeBase64 } from './decode-base64.ts'
import { isObject } from './parse-infer-body.ts'
import { parseTensor } from './parse-tensor.ts'
import { isRefusal, type Refusal, refuse, showSpec, type Tensor } from './tensor.ts'

const MAX_DIMENSIONS = 32

/**
 * A tensor from nested lists that say nothing of their shape or datatype: the first path down gives the shape, all others must agree with it. For BYTES,
 * `{"b64": ...}` stands for the text of the decoded bytes.
 */
export function nestedTensor(spec: TensorSpec, value: unknown, options: { nullIsNaN?: boolean } = {}): Tensor | Refusal {
  const named = `Input ${showSpec(spec)}`
  const shape = shapeOf(value)
  if (!shape) return refuse(`${named}: the lists are nested more than ${MAX_DIMENSIONS} deep`)
  const plain = spec.datatype === 'BYTES' ? withoutBase64(value, named) : value
  if (isRefusal(plain)) return plain
  return parseTensor(spec, { name: spec.name, datatype: spec.datatype, shape, data: Array.isArray(plain) ? plain : [plain] }, options)
}

function shapeOf(value: unknown): number[] | null {
  const shape: number[] = []
  for (let level = value; Array.isArray(level); level = level[0]) {
    if (shape.length === MAX_DIMENSIONS) return null
    shape.push(level.length)
  }
  return shape
}

/** Refusals are objects, which no text of a BYTES tensor is. */
function withoutBase64(value: unknown, named: string): unknown {
  if (Array.isArray(value)) {
    const inner: unknown[] = value.map((item: unknown) => withoutBase64(item, named))
    return inner.find((item) => isRefusal(item)) ?? inner
  }
  if (!isObject(value) || Object.keys(value).length !== 1 || typeof value['b64'] !== 'string') return isObject(value) ? null : value
  return decodeBase64(value['b64']) ?? refuse(`${named}: an element of the form {"b64": ...} is not base64 of UTF-8 text`)
}
