import type { Datatype, Signature, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { AppError } from '../errors.ts'
import { datatypeOfOnnx, ortTypeOf, type TensorValues } from './tensor-values.ts'

/** A tensor on its way into or out of a model: row-major and flat. */
export interface ChainTensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
  readonly data: TensorValues
}

export interface ChainFile {
  readonly name: string
  /** The file's content, or where the runtime finds it: then it need not pass through this process's heap. */
  readonly bytes: Uint8Array | { readonly path: string }
  /** What lies beside it: its weights, under the names that it calls them by. The runtime is given these bytes and looks for no file itself. */
  readonly sideFiles?: readonly { readonly name: string; readonly bytes: Uint8Array }[]
}

export interface ChainOptions {
  /** Threads within one operator (default 1: pods run one session per worker instead). */
  readonly intraOpNumThreads?: number
}

/** ONNX files that run one after another as one model. Not safe to share between threads. */
export interface OnnxChain {
  /** Inputs of the first file, outputs of the last; -1 is an open dimension. */
  readonly signature: Signature
  /**
   * Runs the chain on one batch. A native call: it blocks the thread.
   * @throws AppError INVALID_PARAMETER_VALUE when the inputs do not fit the signature
   */
  run(inputs: readonly ChainTensor[]): Promise<ChainTensor[]>
  release(): Promise<void>
}

const describe = ({ name, datatype, shape }: TensorSpec): string => `'${name}' ${datatype} [${shape.join(', ')}]`

const refuse = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)

/** What is no tensor (the sequence of maps that a ZipMap makes) is left out of the outputs; an input like that cannot be fed. */
function specsOf(metadata: readonly InferenceSession.ValueMetadata[], file: string, omit: 'omit' | 'refuse'): TensorSpec[] {
  const kept = omit === 'omit' ? metadata.filter(({ isTensor }) => isTensor) : metadata
  return kept.map((value) => {
    const datatype = value.isTensor ? datatypeOfOnnx(value.type) : null
    if (!value.isTensor || !datatype) throw refuse(`'${value.name}' of '${file}' is not a tensor of a served element type`)
    return { name: value.name, datatype, shape: value.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : -1)) }
  })
}

/** @throws AppError INVALID_PARAMETER_VALUE when the tensor is not what the signature asks for */
export function checkTensorFits(tensor: ChainTensor, spec: TensorSpec): void {
  const found = `${tensor.datatype} [${tensor.shape.join(', ')}]`
  if (tensor.datatype !== spec.datatype) throw refuse(`Input ${describe(spec)} was given as ${found}: the element type must be ${spec.datatype}`)
  const fits = tensor.shape.length === spec.shape.length && tensor.shape.every((size, i) => spec.shape[i] === -1 || spec.shape[i] === size)
  if (!fits) throw refuse(`Input ${describe(spec)} was given as ${found}: the shapes differ (-1 is any size)`)
  const size = tensor.shape.reduce((product, dimension) => product * dimension, 1)
  if (size !== tensor.data.length)
    throw refuse(`Input '${spec.name}' has ${tensor.data.length} values; its shape [${tensor.shape.join(', ')}] asks for ${size}`)
}

function pickInputs(inputs: readonly ChainTensor[], specs: readonly TensorSpec[]): ChainTensor[] {
  const unknown = inputs.find(({ name }) => !specs.some((spec) => spec.name === name))
  if (unknown) throw refuse(`The model has no input '${unknown.name}'; it has ${specs.map(describe).join(', ')}`)
  return specs.map((spec) => {
    const given = inputs.find(({ name }) => name === spec.name)
    if (!given) throw refuse(`Input ${describe(spec)} is missing`)
    checkTensorFits(given, spec)
    return given
  })
}

/** One file of the chain with what it takes and gives. */
interface Link {
  readonly session: InferenceSession
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

const create = (source: ChainFile['bytes'], options: InferenceSession.SessionOptions): Promise<InferenceSession> =>
  source instanceof Uint8Array ? InferenceSession.create(source, options) : InferenceSession.create(source.path, options)

async function openLink({ name, bytes, sideFiles = [] }: ChainFile, options: ChainOptions): Promise<Link> {
  const sessionOptions = {
    intraOpNumThreads: options.intraOpNumThreads ?? 1,
    interOpNumThreads: 1,
    executionMode: 'sequential' as const,
    // What goes wrong is thrown; the runtime would print it with values of the request.
    logSeverityLevel: 4 as const,
    ...(sideFiles.length > 0 ? { externalData: sideFiles.map((side) => ({ path: side.name, data: side.bytes })) } : {}),
  }
  const session = await create(bytes, sessionOptions).catch((cause: unknown) => {
    throw new AppError('INVALID_PARAMETER_VALUE', `'${name}' cannot be opened as an ONNX model: export it again`, { cause })
  })
  return { session, inputs: specsOf(session.inputMetadata, name, 'refuse'), outputs: specsOf(session.outputMetadata, name, 'omit') }
}

function checkJoint(before: Link, after: Link, files: readonly [string, string]): void {
  if (before.outputs.length < after.inputs.length)
    throw refuse(`'${files[1]}' takes ${after.inputs.length} inputs, '${files[0]}' before it gives ${before.outputs.length}`)
  for (const [i, input] of after.inputs.entries()) {
    const output = before.outputs[i]
    if (output && output.datatype !== input.datatype)
      throw refuse(`Output ${describe(output)} of '${files[0]}' does not fit input ${describe(input)} of '${files[1]}'`)
  }
}

/** The arrays that come back belong to the runtime's own types; only the tensor classes know their union. */
function toChainTensor(name: string, tensor: Tensor): ChainTensor {
  const datatype = datatypeOfOnnx(tensor.type)
  if (!datatype) throw refuse(`Output '${name}' has the element type ${tensor.type}, which is not served`)
  return { name, datatype, shape: tensor.dims, data: tensor.data }
}

/**
 * Where JavaScript has half-precision arrays, the runtime's tensor turns their bits into one, which its native part takes for empty: it is shown the bits.
 */
function toRuntimeTensor({ datatype, data, shape }: ChainTensor): Tensor {
  const tensor = new Tensor(ortTypeOf(datatype), data, shape)
  return datatype === 'FP16' ? Object.defineProperty(tensor, 'data', { value: data }) : tensor
}

async function runLink(link: Link, inputs: readonly ChainTensor[]): Promise<ChainTensor[]> {
  const feeds: Record<string, Tensor> = {}
  for (const [i, spec] of link.inputs.entries()) {
    const input = inputs[i]
    if (input) feeds[spec.name] = toRuntimeTensor(input)
  }
  const fetches = link.outputs.map(({ name }) => name)
  const results = await link.session.run(feeds, fetches)
  return link.outputs.flatMap(({ name }) => {
    const tensor = results[name]
    return tensor ? [toChainTensor(name, tensor)] : []
  })
}

async function openLinks(files: readonly ChainFile[], options: ChainOptions, links: Link[]): Promise<void> {
  for (const [i, file] of files.entries()) {
    const link = await openLink(file, options)
    links.push(link)
    const before = links[i - 1]
    if (before) checkJoint(before, link, [files[i - 1]?.name ?? '', file.name])
  }
}

/**
 * Opens ONNX files as one model: the outputs of one feed the inputs of the next by position. Inspect foreign files with `inspectOnnx` first.
 * @throws AppError INVALID_PARAMETER_VALUE when a file is no model or two neighbours do not fit
 */
export async function openChain(files: readonly ChainFile[], options: ChainOptions = {}): Promise<OnnxChain> {
  const links: Link[] = []
  const release = async () => void (await Promise.all(links.map(({ session }) => session.release())))
  try {
    await openLinks(files, options, links)
  } catch (error) {
    await release()
    throw error
  }
  const [first, last] = [links[0], links.at(-1)]
  if (!first || !last) throw refuse('A chain needs at least one ONNX file')
  return {
    signature: { inputs: [...first.inputs], outputs: [...last.outputs] },
    async run(inputs) {
      let values = pickInputs(inputs, first.inputs)
      for (const link of links) values = await runLink(link, values)
      return values
    },
    release,
  }
}
