import type { BinaryTensor } from './binary-tensor.ts'
import type { RawTensor } from './parse-tensor.ts'
import { isRefusal, type Refusal, refuse } from './tensor.ts'

export type ParameterValue = string | number | boolean
export type Parameters = Readonly<Record<string, ParameterValue>>

/** An output that is asked for, and whether as bytes. */
export interface AskedOutput {
  readonly name: string
  readonly binary: boolean
}

/** An inference request of the Open Inference Protocol, its tensors not yet held against any model. */
export interface InferBody {
  readonly id: string | null
  readonly parameters: Parameters
  readonly inputs: readonly (RawTensor | BinaryTensor)[]
  /** Null: all of them. */
  readonly outputs: readonly AskedOutput[] | null
  /** Whether outputs that say nothing of their own are answered as bytes. */
  readonly binaryOutputs: boolean
}

type JsonObject = Readonly<Record<string, unknown>>
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const MAX_TENSORS = 64
const MAX_DIMENSIONS = 32
const MAX_ID = 256

/**
 * Reads the JSON of a request and the bytes behind it (null: there were none announced). Checks all but the elements, which are checked once, against the
 * model: they may be millions. Messages never repeat what was sent.
 */
export function parseInferBody(value: unknown, tail: Uint8Array | null): InferBody | Refusal {
  if (!isObject(value)) return refuse('The body must be an object such as {"inputs": [{"name", "shape", "datatype", "data"}]}')
  const { id = null } = value
  if (id !== null && (typeof id !== 'string' || id.length > MAX_ID)) return refuse(`id must be a string of at most ${MAX_ID} characters`)
  const parameters = parseParameters(value['parameters'], 'parameters')
  if (isRefusal(parameters)) return parameters
  const unoffered = findUnoffered(parameters)
  if (unoffered) return unoffered
  const inputs = parseRawInputs(value['inputs'], tail)
  if (isRefusal(inputs)) return inputs
  const binaryOutputs = parameters['binary_data_output'] === true
  const outputs = parseOutputs(value['outputs'], binaryOutputs)
  return isRefusal(outputs) ? outputs : { id, parameters, inputs, outputs: outputs.asked, binaryOutputs }
}

/** Better a clear no than an answer that means something else. */
function findUnoffered(parameters: Parameters): Refusal | null {
  const sequence = Object.keys(parameters).find((name) => name.startsWith('sequence_'))
  if (sequence) return refuse(`The parameter '${sequence.slice(0, 40)}' is not offered: every request stands alone`)
  const timeout: ParameterValue | undefined = parameters['timeout']
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0))
    return refuse("The parameter 'timeout' must be a number of microseconds, 0 for none")
  return null
}

function parseParameters(value: unknown, where: string): Parameters | Refusal {
  if (value === undefined) return {}
  if (!isObject(value)) return refuse(`${where} must be an object`)
  const parameters: Record<string, ParameterValue> = {}
  for (const [name, parameter] of Object.entries(value)) {
    if (typeof parameter !== 'string' && typeof parameter !== 'number' && typeof parameter !== 'boolean') {
      return refuse(`Every value of ${where} must be a string, a number or a boolean`)
    }
    parameters[name] = parameter
  }
  return parameters
}

function parseRawInputs(value: unknown, tail: Uint8Array | null): readonly (RawTensor | BinaryTensor)[] | Refusal {
  if (!Array.isArray(value) || value.length === 0) return refuse('inputs must be a list of at least one tensor: {"name", "shape", "datatype", "data"}')
  if (value.length > MAX_TENSORS) return refuse(`inputs has ${value.length} tensors; at most ${MAX_TENSORS} are taken`)
  const inputs: (RawTensor | BinaryTensor)[] = []
  let at = 0
  for (const [index, item] of value.entries()) {
    const input = parseRawInput(item, `inputs[${index}]`, tail?.subarray(at) ?? null)
    if (isRefusal(input)) return input
    if ('bytes' in input) at += input.bytes.length
    inputs.push(input)
  }
  const rest = (tail?.length ?? 0) - at
  return rest === 0 ? inputs : refuse(`${rest} bytes are left over behind the JSON and the tensors that binary_data_size announces`)
}

function parseRawInput(value: unknown, where: string, tail: Uint8Array | null): RawTensor | BinaryTensor | Refusal {
  if (!isObject(value)) return refuse(`${where} must be an object: {"name", "shape", "datatype", "data"}`)
  const { name, datatype, shape, data } = value
  if (typeof name !== 'string') return refuse(`${where}.name must be a string`)
  if (typeof datatype !== 'string') return refuse(`${where}.datatype must be a string such as "FP32"`)
  if (!isShape(shape)) return refuse(`${where}.shape must be a list of at most ${MAX_DIMENSIONS} sizes, whole numbers of at least 0`)
  const parameters = parseParameters(value['parameters'], `${where}.parameters`)
  if (isRefusal(parameters)) return parameters
  if (Object.keys(parameters).some((key) => key.startsWith('shared_memory_'))) return refuse(`${where}: shared memory is not offered: send the data`)
  const size: ParameterValue | undefined = parameters['binary_data_size']
  if (size === undefined) return Array.isArray(data) || data instanceof Float64Array ? { name, datatype, shape, data } : refuse(`${where}.data must be a list`)
  const bytes = takeBytes(size, tail, where)
  if (isRefusal(bytes)) return bytes
  return data === undefined ? { name, datatype, shape, bytes } : refuse(`${where} has both data and binary_data_size: send one of them`)
}

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every((size) => Number.isSafeInteger(size) && size >= 0)

function takeBytes(size: ParameterValue, tail: Uint8Array | null, where: string): Uint8Array | Refusal {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return refuse(`${where}.parameters.binary_data_size must be a number of bytes`)
  if (!tail) return refuse(`${where} has binary data, but the header Inference-Header-Content-Length does not say where the JSON ends`)
  if (size > tail.length) return refuse(`${where} announces ${size} bytes of binary data; ${tail.length} are left in the body`)
  return tail.subarray(0, size)
}

function parseOutputs(value: unknown, binaryOutputs: boolean): { asked: AskedOutput[] | null } | Refusal {
  if (value === undefined) return { asked: null }
  if (!Array.isArray(value) || value.length > MAX_TENSORS) return refuse(`outputs must be a list of at most ${MAX_TENSORS} outputs: {"name"}`)
  const asked: AskedOutput[] = []
  for (const [index, item] of value.entries()) {
    const output = parseOutput(item, `outputs[${index}]`, binaryOutputs)
    if (isRefusal(output)) return output
    asked.push(output)
  }
  return { asked: asked.length > 0 ? asked : null }
}

function parseOutput(item: unknown, where: string, binaryOutputs: boolean): AskedOutput | Refusal {
  if (!isObject(item) || typeof item['name'] !== 'string') return refuse(`${where} must be an object with a name`)
  const parameters = parseParameters(item['parameters'], `${where}.parameters`)
  if (isRefusal(parameters)) return parameters
  if ('classification' in parameters || 'shared_memory_region' in parameters) return refuse(`${where}: classification and shared memory are not offered`)
  const own: ParameterValue | undefined = parameters['binary_data']
  if (own !== undefined && typeof own !== 'boolean') return refuse(`${where}.parameters.binary_data must be true or false`)
  return { name: item['name'], binary: own ?? binaryOutputs }
}
