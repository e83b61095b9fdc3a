import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { artifactManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { MODEL_SPEC_FILE } from '@millrace/contracts/model/model-spec.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { type DescribedModel, describeModel } from '@millrace/platform/model/describe-model.ts'
import { readInputExample } from '@millrace/platform/model/input-example.ts'
import { defaultOnnxLimits, type OnnxLimits } from '@millrace/platform/model/onnx-limits.ts'
import type { z } from 'zod'
import type { ArtifactCache } from './artifact-cache.ts'
import { isRefusal, type Tensor } from './domain/tensor.ts'
import { exampleInputs } from './domain/warm-up.ts'
import { asLoadFailure, LoadFailure, type LoadStage } from './load-failure.ts'
import type { LocalFile, ModelFile } from './threads/model-file.ts'

/** An artifact whose every byte that matters for serving is on the local disk and verified. */
export interface LocalArtifact {
  readonly spec: ModelSpec
  readonly files: readonly ModelFile[]
  /** Bytes of the chain's files, and of those that hold their weights. */
  readonly modelBytes: number
  readonly example: readonly Tensor[]
  /** The example is the model's own; otherwise it is made of zeros. */
  readonly logged: boolean
  /** Content that must stay in the cache while this version is wanted. */
  readonly content: readonly string[]
}

const TRIES = 3
const FIRST_PAUSE_MS = 100

/**
 * Fetches what serving needs by digest: manifest, model description, the chain's files and the input example.
 * @throws LoadFailure transient after three tries with growing, jittered pauses; deterministic where the content is wrong, does not say how to serve it or must not reach the runtime
 */
export async function readArtifact(cache: ArtifactCache, artifact: Artifact, signal: AbortSignal, limits = defaultOnnxLimits): Promise<LocalArtifact> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(cache, artifact, limits, signal)
    } catch (error) {
      signal.throwIfAborted()
      const failure = asLoadFailure(error, 'fetch')
      if (failure.kind === 'deterministic' || attempt === TRIES) throw failure
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal })
    }
  }
}

async function readOnce(cache: ArtifactCache, artifact: Artifact, limits: OnnxLimits, signal: AbortSignal): Promise<LocalArtifact> {
  const { files } = await readJson(await cache.file(artifact.sha256, signal), artifactManifest, 'the manifest')
  const read = new Map<string, string>()
  const fetching = new Map<string, Promise<string>>()
  const fetchOnce = (file: ManifestFile): Promise<string> => {
    const begun = fetching.get(file.sha256) ?? cache.file(file.sha256, signal)
    fetching.set(file.sha256, begun)
    return begun
  }
  const pathOf = async (file: ManifestFile): Promise<string> => {
    const path = await fetchOnce(file)
    read.set(file.sha256, path)
    return path
  }
  // What is needed in any case comes at once, not one after the other; a fault shows where the file is read.
  for (const file of files) if (file.path === MODEL_SPEC_FILE || file.path.endsWith('.onnx')) fetchOnce(file).catch(() => undefined)
  const described = await describeModel({ files, open: async (file) => createReadStream(await pathOf(file)) }, limits)
  if (described.kind === 'unservable') throw new LoadFailure('deterministic', 'verify', `The artifact cannot be served: ${described.reason}`)
  const local = async (file: ManifestFile) => ({ name: file.path, path: read.get(file.sha256) ?? (await pathOf(file)) })
  const chain = await Promise.all(
    described.chain.map(async ({ file, sideFiles }) => ({ ...(await local(file)), sideFiles: await Promise.all(sideFiles.map(local)) })),
  )
  const parts = new Map(described.chain.flatMap(({ file, sideFiles }) => [file, ...sideFiles]).map((file) => [file.path, file.sizeBytes]))
  return {
    spec: described.spec,
    files: chain,
    modelBytes: [...parts.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0),
    ...(await readExample(described, described.exampleFile && (await local(described.exampleFile)))),
    content: [artifact.sha256, ...read.keys()],
  }
}

/** One row of zeros stands in where a model brought no example, or one in a form of MLflow's that says nothing about its inputs. */
async function readExample({ spec, origin }: DescribedModel<ManifestFile>, file: LocalFile | null): Promise<Pick<LocalArtifact, 'example' | 'logged'>> {
  const content = file && parseJson(await readFile(file.path, 'utf8'), file.name, 'warm-up')
  const example = file && readInputExample(content, spec)
  if (file && !example && origin === 'own')
    throw new LoadFailure('deterministic', 'warm-up', `${file.name} is not an input example: expected {"inputs": [...]}`)
  const result = exampleInputs(spec.signature, example)
  if (!isRefusal(result)) return { example: result.inputs, logged: example !== null }
  if (origin === 'own') throw new LoadFailure('deterministic', 'warm-up', `The input example does not fit the signature: ${result.refused}`)
  const zeros = exampleInputs(spec.signature, null)
  if (isRefusal(zeros)) throw new LoadFailure('deterministic', 'warm-up', zeros.refused)
  return { example: zeros.inputs, logged: false }
}

async function readJson<Schema extends z.ZodType>(path: string, schema: Schema, name: string): Promise<z.infer<Schema>> {
  const text = await readFile(path, 'utf8')
  const parsed = schema.safeParse(parseJson(text, name, 'verify'))
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new LoadFailure('deterministic', 'verify', `${name} is not valid: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`)
}

function parseJson(text: string, name: string, stage: LoadStage): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LoadFailure('deterministic', stage, `${name} is not JSON: ${messageOf(cause)}`, { cause })
  }
}
