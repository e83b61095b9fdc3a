import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { type ArtifactManifest, artifactManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, type ModelSpec, modelSpec, tensorExample } from '@millrace/contracts/model/model-spec.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import type { z } from 'zod'
import type { ArtifactCache } from './artifact-cache.ts'
import { isRefusal, type Tensor } from './domain/tensor.ts'
import { exampleInputs } from './domain/warm-up.ts'
import { asLoadFailure, LoadFailure, type LoadStage } from './load-failure.ts'
import type { ModelFile } from './threads/model-file.ts'

/** An artifact whose every byte that matters for serving is on the local disk and verified. */
export interface LocalArtifact {
  readonly spec: ModelSpec
  readonly files: readonly ModelFile[]
  /** Bytes of the chain's files. */
  readonly modelBytes: number
  readonly example: readonly Tensor[]
  /** Content that must stay in the cache while this version is wanted. */
  readonly content: readonly string[]
}

const TRIES = 3
const FIRST_PAUSE_MS = 100

/**
 * Fetches what serving needs by digest: manifest, model description, the chain's files and the input example.
 * @throws LoadFailure transient after three tries with growing, jittered pauses; deterministic where the content is wrong or does not say how to serve it
 */
export async function readArtifact(cache: ArtifactCache, artifact: Artifact, signal: AbortSignal): Promise<LocalArtifact> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(cache, artifact, signal)
    } catch (error) {
      signal.throwIfAborted()
      const failure = asLoadFailure(error, 'fetch')
      if (failure.kind === 'deterministic' || attempt === TRIES) throw failure
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal })
    }
  }
}

async function readOnce(cache: ArtifactCache, artifact: Artifact, signal: AbortSignal): Promise<LocalArtifact> {
  const manifest = await readJson(await cache.file(artifact.sha256, signal), artifactManifest, 'the manifest')
  const fetchFile = async (name: string): Promise<ModelFile & { sha256: string; sizeBytes: number }> => {
    const entry = entryOf(manifest, name)
    return { name, path: await cache.file(entry.sha256, signal), sha256: entry.sha256, sizeBytes: entry.sizeBytes }
  }
  const described = await fetchFile(MODEL_SPEC_FILE)
  const spec = await readJson(described.path, modelSpec, MODEL_SPEC_FILE)
  const files = await Promise.all(spec.chain.map(({ file }) => fetchFile(file)))
  const exampleFile = spec.inputExample === null ? null : await fetchFile(spec.inputExample)
  return {
    spec,
    files: files.map(({ name, path }) => ({ name, path })),
    modelBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    example: await readExample(spec, exampleFile),
    content: [artifact.sha256, described.sha256, ...files.map(({ sha256 }) => sha256), ...(exampleFile ? [exampleFile.sha256] : [])],
  }
}

function entryOf(manifest: ArtifactManifest, name: string): ArtifactManifest['files'][number] {
  const entry = manifest.files.find(({ path }) => path === name)
  if (entry) return entry
  const wanted = name === MODEL_SPEC_FILE ? 'without it a pod does not know how to serve the artifact: log the model with it' : 'the model description names it'
  throw new LoadFailure('deterministic', 'verify', `The artifact has no file '${name}'; ${wanted}`)
}

async function readExample(spec: ModelSpec, file: ModelFile | null): Promise<Tensor[]> {
  const example = file ? (await readJson(file.path, tensorExample, file.name, 'warm-up')).inputs : null
  const result = exampleInputs(spec.signature, example)
  if (isRefusal(result)) throw new LoadFailure('deterministic', 'warm-up', `The input example does not fit the signature: ${result.refused}`)
  return result.inputs
}

async function readJson<Schema extends z.ZodType>(path: string, schema: Schema, name: string, stage: LoadStage = 'verify'): Promise<z.infer<Schema>> {
  const text = await readFile(path, 'utf8')
  const parsed = schema.safeParse(parseJson(text, name, stage))
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new LoadFailure('deterministic', stage, `${name} is not valid: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`)
}

function parseJson(text: string, name: string, stage: LoadStage): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LoadFailure('deterministic', stage, `${name} is not JSON: ${messageOf(cause)}`, { cause })
  }
}
