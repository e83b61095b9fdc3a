import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { type SealResponse, sealResponse } from '@millrace/contracts/http/tracking.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { describeModel } from '@millrace/platform/model/describe-model.ts'
import { onnxLimitsOf } from '@millrace/platform/model/onnx-limits.ts'
import type { RegistryDeps } from './deps.ts'
import { judgeExternal, judgePrompt, type Servability } from './domain/servability.ts'
import { PROMPT_TAG } from './store/search.ts'
import type { VersionRow } from './store/versions.ts'

export type SealDeps = Pick<RegistryDeps, 'tracking' | 'blobs' | 'config'>

/** What a version's source turned out to be. */
export interface Sealed {
  readonly artifact: Artifact | null
  readonly servability: Servability
  readonly runId: string | null
}

/**
 * Has tracking seal a version's files and reads what they say about serving. Sealing again under the same holder gives the same answer.
 * @throws AppError for a refusal that asking again will not change, TransientError otherwise
 */
export async function sealArtifact(deps: SealDeps, row: VersionRow, signal: AbortSignal): Promise<Sealed> {
  if (row.seal_source === null) return { artifact: null, servability: PROMPT_TAG in row.tags ? judgePrompt : judgeExternal(row.source), runId: null }
  const sealed = await callSeal(deps, row.seal_source, row.pin_holder, signal)
  if (row.expected_sha256 !== null && row.expected_sha256 !== sealed.sha256) {
    const message = `The files of '${row.source}' were changed after it was registered (sealed as ${row.expected_sha256}, now ${sealed.sha256}): register them as a version of their own`
    throw new AppError('INVALID_PARAMETER_VALUE', message)
  }
  const servability = await judge(deps, sealed)
  const { uri, sha256, sizeBytes, runId } = sealed
  return { artifact: { uri, sha256, sizeBytes, format: servability.format }, servability, runId }
}

export const callSeal = (
  { tracking, config }: Pick<SealDeps, 'tracking' | 'config'>,
  source: string,
  holder: string,
  signal: AbortSignal,
): Promise<SealResponse> =>
  tracking.call({
    method: 'POST',
    path: '/api/v1/artifacts/manifests',
    body: { source, holder },
    // The holder names the operation: the same pin twice is one pin.
    headers: { 'idempotency-key': `seal:${holder}:${source}` },
    response: sealResponse,
    timeoutMs: config.REGISTRY_SEAL_TIMEOUT_MS,
    signal,
  })

/** Reads the description, and of the networks as much as tells what they are: their inputs and outputs, and where their weights lie. */
async function judge({ blobs, config }: SealDeps, { files }: SealResponse): Promise<Servability> {
  const described = await describeModel({ files, open: ({ sha256 }) => blobs.open(sha256) }, onnxLimitsOf(config))
  if (described.kind === 'unservable') return { servable: false, format: described.format, reason: described.reason }
  return { servable: true, format: described.spec.format, signature: described.spec.signature }
}
