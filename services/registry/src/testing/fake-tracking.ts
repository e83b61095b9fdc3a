import { Readable } from 'node:stream'
import { sourceRequest } from '@millrace/contracts/http/access.ts'
import { sealRequest } from '@millrace/contracts/http/tracking.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { CallOptions, ServiceClient } from '@millrace/platform/http/client.ts'
import { refuseInsideTransaction } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'

const release = z.object({ sha256: z.string(), holder: z.string() })

/** A tracking service of functions: it seals what was put into it, and knows runs and logged models. */
export class FakeTracking {
  readonly runs = new Map<string, object>()
  readonly loggedModels = new Map<string, { artifact_uri: string; source_run_id?: string }>()
  /** Whose the files under a source are. */
  readonly sources = new Map<string, { id: string; name: string; owner: string }[]>()
  /** Digest by holder. */
  readonly pins = new Map<string, string>()
  /** Faults still to come before calls succeed. */
  faults = 0
  /** Awaited before a seal is answered. */
  gate: Promise<void> = Promise.resolve()
  seals = 0
  releases = 0
  readonly client: ServiceClient
  readonly #blobs: Blobs
  readonly #artifacts = new Map<string, ManifestFile[]>()

  constructor(blobs: Blobs) {
    this.#blobs = blobs
    this.client = {
      call: async <Response extends z.ZodType>(options: CallOptions<Response>) => {
        refuseInsideTransaction(options.path)
        return options.response.parse(await Promise.race([this.#answer(options), abortOf(options.signal)]))
      },
      download: async () => Readable.from([]),
    }
  }

  /** Puts files under a source, in place of what lay there. */
  async put(source: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    const stored: ManifestFile[] = []
    for (const [path, content] of Object.entries(files)) stored.push({ path, ...(await this.#blobs.put(Buffer.from(content))) })
    this.#artifacts.set(source, stored)
  }

  async #answer({ path, body }: Pick<CallOptions<z.ZodType>, 'path' | 'body'>): Promise<unknown> {
    if (this.faults > 0) {
      this.faults -= 1
      throw new TransientError('tracking does not answer')
    }
    if (path === '/api/v1/artifacts/manifests') return this.#seal(sealRequest.parse(body))
    if (path === '/api/v1/artifacts/releases') return this.#release(release.parse(body))
    if (path === '/api/v1/sources') return { experiments: this.sources.get(sourceRequest.parse(body).source) ?? [] }
    const url = new URL(path, 'http://tracking')
    const runId = url.searchParams.get('run_id')
    if (runId !== null) return { run: found(this.runs.get(runId), `Run with id=${runId} not found`) }
    const modelId = url.pathname.split('/').at(-1) ?? ''
    return { model: { info: { model_id: modelId, ...found(this.loggedModels.get(modelId), `Logged model with ID '${modelId}' not found.`) } } }
  }

  async #seal({ source, holder }: z.infer<typeof sealRequest>): Promise<unknown> {
    this.seals += 1
    await this.gate
    const files = found(this.#artifacts.get(source), `There are no artifacts at '${source}'`)
    const { sha256 } = await this.#blobs.put(Buffer.from(canonicalManifest(files)))
    this.pins.set(holder, sha256)
    const runId = /^runs:\/([^/]+)/.exec(source)?.[1] ?? null
    return { uri: `millrace-manifest:${sha256}`, sha256, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0), files, runId }
  }

  #release({ sha256, holder }: z.infer<typeof release>): object {
    this.releases += 1
    if (this.pins.get(holder) === sha256) this.pins.delete(holder)
    return {}
  }
}

function found<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new AppError('RESOURCE_DOES_NOT_EXIST', message)
  return value
}

/** Never resolves; rejects when the caller gives up. */
function abortOf(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(new TransientError('the call was given up', { cause: signal?.reason }))
  if (signal?.aborted) give()
  signal?.addEventListener('abort', give, { once: true })
  return promise
}
