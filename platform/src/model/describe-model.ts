import { MODEL_SPEC_FILE, type ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '../errors.ts'
import { deriveSpec } from './derive-spec.ts'
import { MAX_MLMODEL_BYTES, MLMODEL_FILE, type Mlmodel, parseMlmodel } from './mlmodel.ts'
import { inspectOnnx, type OnnxSummary } from './onnx-file.ts'
import { defaultOnnxLimits, type OnnxLimits } from './onnx-limits.ts'
import { concatBytes } from './protobuf-writer.ts'
import { readModelSpec } from './read-model-spec.ts'
import { skimOnnx } from './skim-onnx.ts'
import { CURE, refuseFlavors } from './unservable-flavor.ts'

/** A file of a sealed artifact, by its path within. */
export interface ArtifactFile {
  readonly path: string
  readonly sizeBytes: number
}

/** The files of an artifact and the way to their bytes. What `open` throws, then or while it is read, goes through to the caller. */
export interface ArtifactSource<File extends ArtifactFile> {
  readonly files: readonly File[]
  open(file: File): Promise<AsyncIterable<Uint8Array>>
}

/** An ONNX file with the files beside it that hold its weights. */
export interface ChainLink<File> {
  readonly file: File
  readonly sideFiles: readonly File[]
}

export interface DescribedModel<File> {
  readonly kind: 'described'
  readonly spec: ModelSpec
  /** `own`: a `millrace-model.json`; `derived`: from an MLmodel file or the network alone. */
  readonly origin: 'own' | 'derived'
  readonly chain: readonly ChainLink<File>[]
  readonly exampleFile: File | null
}

export interface UnservableModel {
  readonly kind: 'unservable'
  readonly format: string
  /** Completes "The model cannot be served: ", and says what to do. */
  readonly reason: string
}

export type ModelDescription<File> = DescribedModel<File> | UnservableModel

const MAX_SPEC_BYTES = 4 * 1_048_576
const MAX_EXAMPLE_BYTES = 16 * 1_048_576
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** A reason to refuse, on its way out of the steps below. */
class Unservable extends Error {
  readonly format: string

  constructor(format: string, reason: string) {
    super(reason)
    this.format = format
  }
}

const find = <File extends ArtifactFile>({ files }: ArtifactSource<File>, path: string): File | undefined => files.find((file) => file.path === path)

async function readWhole<File extends ArtifactFile>(source: ArtifactSource<File>, file: File): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of await source.open(file)) parts.push(part)
  return concatBytes(parts)
}

async function readText<File extends ArtifactFile>(source: ArtifactSource<File>, file: File, maxBytes: number): Promise<string> {
  if (file.sizeBytes > maxBytes) throw new Unservable('unknown', `${file.path} has ${file.sizeBytes} bytes; at most ${maxBytes} are read.`)
  return new TextDecoder().decode(await readWhole(source, file))
}

/** Of the content; a store has other words for what it cannot do. */
const isRefusal = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'INVALID_PARAMETER_VALUE' || error.code === 'PAYLOAD_TOO_LARGE')

/** A refusal of the content becomes a reason; a fault of the reading stays one. */
function attempt<T>(format: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isRefusal(error)) throw new Unservable(format, `${error.message}.`)
    throw error
  }
}

async function skim<File extends ArtifactFile>(source: ArtifactSource<File>, file: File, format: string, limits: OnnxLimits): Promise<Uint8Array> {
  const chunks = await source.open(file)
  return skimOnnx(chunks, limits).catch((error: unknown) => {
    throw isRefusal(error) ? new Unservable(format, `${error.message}.`) : error
  })
}

interface Inspected<File> {
  readonly link: ChainLink<File>
  readonly summary: OnnxSummary
}

async function inspect<File extends ArtifactFile>(source: ArtifactSource<File>, file: File, format: string, limits: OnnxLimits): Promise<Inspected<File>> {
  if (file.sizeBytes > limits.maxBytes)
    throw new Unservable(format, `the ONNX file '${file.path}' has ${file.sizeBytes} bytes; at most ${limits.maxBytes} are served.`)
  const bytes = await skim(source, file, format, limits)
  const sizes = new Map(source.files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  const summary = attempt(format, () => inspectOnnx(bytes, limits, sizes))
  return { summary, link: { file, sideFiles: summary.sideFiles.flatMap((name) => find(source, name) ?? []) } }
}

async function describeOwn<File extends ArtifactFile>(source: ArtifactSource<File>, own: File, limits: OnnxLimits): Promise<DescribedModel<File>> {
  const read = readModelSpec(
    await readText(source, own, MAX_SPEC_BYTES),
    source.files.map(({ path }) => path),
  )
  if (read.kind === 'invalid') throw new Unservable(read.format, read.reason)
  const { spec } = read
  const chain: ChainLink<File>[] = []
  for (const { file: name } of spec.chain) {
    const file = find(source, name)
    if (file) chain.push((await inspect(source, file, spec.format, limits)).link)
  }
  return { kind: 'described', spec, origin: 'own', chain, exampleFile: spec.inputExample === null ? null : (find(source, spec.inputExample) ?? null) }
}

function onnxFileOf<File extends ArtifactFile>(source: ArtifactSource<File>, { flavors, onnxFile }: Mlmodel): File {
  if (!flavors.includes('onnx')) {
    const { format, reason } = refuseFlavors(flavors)
    throw new Unservable(format, reason)
  }
  const file = onnxFile !== null && PLAIN_NAME.test(onnxFile) ? find(source, onnxFile) : undefined
  if (file) return file
  throw new Unservable('mlflow:onnx', `the data file of the MLflow flavor 'onnx' is not a plain file name among the files of the artifact. ${CURE}`)
}

async function describeNetwork<File extends ArtifactFile>(
  source: ArtifactSource<File>,
  file: File,
  mlmodel: Mlmodel | null,
  limits: OnnxLimits,
): Promise<DescribedModel<File>> {
  const format = mlmodel ? 'mlflow:onnx' : 'files'
  const { link, summary } = await inspect(source, file, format, limits)
  const names = (mlmodel?.exampleFiles ?? []).filter((name) => PLAIN_NAME.test(name))
  const exampleFile = names.flatMap((name) => find(source, name) ?? []).find(({ sizeBytes }) => sizeBytes <= MAX_EXAMPLE_BYTES) ?? null
  const spec = attempt(format, () => deriveSpec({ file: file.path, summary, mlmodel, exampleFile: exampleFile?.path ?? null }))
  return { kind: 'described', spec, origin: 'derived', chain: [link], exampleFile }
}

/** Files alone: no description at all. */
function loneNetwork<File extends ArtifactFile>({ files }: ArtifactSource<File>): File {
  const networks = files.filter(({ path }) => /\.onnx$/i.test(path) && PLAIN_NAME.test(path))
  if (networks.length > 1)
    throw new Unservable(
      'files',
      `it has ${networks.length} ONNX files and no ${MODEL_SPEC_FILE} that says in which order they run. Add one and register it again.`,
    )
  if (networks[0]) return networks[0]
  const pickle = files.find(({ path }) => /\.(pkl|pickle|joblib|pt|pth|h5|keras|skops)$/i.test(path))
  if (pickle) throw new Unservable('files', `it is a file of its framework (${pickle.path}), which needs Python to run. ${CURE}`)
  throw new Unservable('files', `it has neither a ${MODEL_SPEC_FILE} nor an MLmodel file nor an ONNX file at its root. ${CURE}`)
}

async function describe<File extends ArtifactFile>(source: ArtifactSource<File>, limits: OnnxLimits): Promise<DescribedModel<File>> {
  const own = find(source, MODEL_SPEC_FILE)
  if (own) return describeOwn(source, own, limits)
  const file = find(source, MLMODEL_FILE)
  if (!file) return describeNetwork(source, loneNetwork(source), null, limits)
  const text = await readText(source, file, MAX_MLMODEL_BYTES)
  const mlmodel = attempt('mlflow:unknown', () => parseMlmodel(text))
  return describeNetwork(source, onnxFileOf(source, mlmodel), mlmodel, limits)
}

/**
 * How an artifact is served, from its sealed files alone: its `millrace-model.json`; else its MLmodel file with the flavor `onnx` and what the network says of
 * itself; else a lone ONNX file at its root. Every network is inspected, its side files among them, before anything opens it.
 * @throws whatever `source.open` throws
 */
export async function describeModel<File extends ArtifactFile>(
  source: ArtifactSource<File>,
  limits: OnnxLimits = defaultOnnxLimits,
): Promise<ModelDescription<File>> {
  try {
    return await describe(source, limits)
  } catch (error) {
    if (error instanceof Unservable) return { kind: 'unservable', format: error.format, reason: error.message }
    throw error
  }
}
