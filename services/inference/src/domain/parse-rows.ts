import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import { nestedTensor } from './nested-tensor.ts'
import { isObject } from './parse-infer-body.ts'
import { agreeOnRows } from './parse-request.ts'
import { isRefusal, type Refusal, refuse, type Tensor } from './tensor.ts'

/** What a TensorFlow Serving predict request holds: `instances` are rows, `inputs` columns. */
export interface RowsBody {
  readonly form: 'rows' | 'columns'
  readonly value: unknown
}

const DEFAULT_SIGNATURE = 'serving_default'

/** Reads a predict request; strict JSON, without the bare NaN that TensorFlow takes. */
export function parseRows(value: unknown): RowsBody | Refusal {
  if (!isObject(value)) return refuse('The body must be an object with instances (rows) or inputs (columns)')
  const { signature_name: name, instances, inputs } = value
  if (name !== undefined && name !== '' && name !== DEFAULT_SIGNATURE) return refuse(`The only signature_name is '${DEFAULT_SIGNATURE}'`)
  if ((instances === undefined) === (inputs === undefined)) return refuse('The body must have one of instances (rows) and inputs (columns)')
  if (inputs !== undefined) return { form: 'columns', value: inputs }
  return Array.isArray(instances) && instances.length > 0 ? { form: 'rows', value: instances } : refuse('instances must be a list of at least one row')
}

/** What was sent as the inputs of a model. */
export function rowsInputs(signature: Signature, body: RowsBody): { inputs: Tensor[] } | Refusal {
  const inputs: Tensor[] = []
  for (const spec of signature.inputs) {
    const value = valueFor(spec.name, signature, body)
    if (isRefusal(value)) return value
    const tensor = nestedTensor(spec, value)
    if (isRefusal(tensor)) return tensor
    inputs.push(tensor)
  }
  return agreeOnRows(signature, inputs)
}

/** What the request gives for one input, row by row or as a whole. */
function valueFor(name: string, { inputs }: Signature, { form, value }: RowsBody): unknown {
  if (form === 'columns') return pick(value, name, inputs.length === 1, 'inputs')
  if (!Array.isArray(value)) return []
  const picked: unknown[] = value.map((row: unknown, index) => pick(row, name, inputs.length === 1, `instances[${index}]`))
  return picked.find((item) => isRefusal(item)) ?? picked
}

/** A value of an object by its name; for a model with one input also the bare value. `{"b64": ...}` is a value, not an object of names. */
function pick(value: unknown, name: string, single: boolean, where: string): unknown {
  if (isObject(value) && Object.hasOwn(value, name)) return value[name]
  if (single && (!isObject(value) || 'b64' in value)) return value
  return refuse(`${where} must be an object that has '${name}'`)
}
