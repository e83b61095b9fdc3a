import { artifactManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, modelSpec } from '@millrace/contracts/model/model-spec.ts'
import { type ReferenceProfile, referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { z } from 'zod'
import type { DriftMonitorDeps } from './deps.ts'
import { findProfileProblem } from './domain/check-profile.ts'
import { paceJob } from './pace-job.ts'
import { resolveAlert } from './resolve-alert.ts'
import { listPendingReferences, lockMonitor, type Monitor, postponeReference, type ReferenceState, saveReferenceState } from './store/monitors.ts'
import { saveReference } from './store/references.ts'

const EVERY_MS = 500
const PACE_MS = 100
const MAX_MANIFEST_BYTES = 8_388_608
const MAX_FILE_BYTES = 33_554_432
/** An artifact that is not there yet may still come, but not for ever. */
const MAX_ATTEMPTS = 8

interface Settled {
  readonly state: Exclude<ReferenceState, 'pending'>
  readonly profile: ReferenceProfile | null
  readonly problem: string | null
}

/** Reads the reference profiles of versions that took over from the blob store: outside of transactions, again and again until it is settled. */
export function createLoadReferences(deps: DriftMonitorDeps): Job {
  const job: Job = {
    name: 'load-references',
    everyMs: EVERY_MS,
    async run(signal) {
      for (const monitor of await listPendingReferences(deps.database, deps.clock())) {
        if (signal.aborted) return false
        await settle(deps, monitor)
      }
      return false
    },
  }
  return paceJob(job, PACE_MS)
}

async function settle(deps: DriftMonitorDeps, monitor: Monitor): Promise<void> {
  const settled = await readProfile(deps, monitor).catch((error: unknown) => giveUp(monitor, error))
  if (!('state' in settled)) {
    const pauseMs = Math.min(60_000, 250 * 2 ** monitor.referenceAttempts)
    deps.log.warn('A reference profile could not be read yet', { model: monitor.model, version: monitor.version, reason: settled.problem })
    await postponeReference(deps.database, monitor, settled.problem, new Date(deps.clock().getTime() + pauseMs))
    return
  }
  if (settled.state === 'failed')
    deps.log.error('A version has no usable reference profile', { model: monitor.model, version: monitor.version, reason: settled.problem })
  await deps.database.transaction(async (tx) => {
    const current = await lockMonitor(tx, monitor.model)
    if (current?.sinceGeneration !== monitor.sinceGeneration || current.referenceState !== 'pending') return
    if (settled.profile && monitor.artifactSha256) await saveReference(tx, monitor.artifactSha256, settled.profile, deps.clock())
    await saveReferenceState(tx, monitor.model, settled.state, settled.problem)
    await resolveAlert(deps, tx, current, takeoverReason(monitor.version, settled.state))
  })
}

const takeoverReason = (version: string | null, state: ReferenceState): string =>
  state === 'ready'
    ? `version ${version} took over, with a reference of its own`
    : `version ${version} took over; it has no reference, so that its traffic is not judged`

/** What cannot get better by waiting fails at once, the rest after some attempts; an unreachable store is waited for. */
function giveUp({ referenceAttempts }: Monitor, error: unknown): Settled | { problem: string } {
  const problem = messageOf(error)
  const missing = error instanceof AppError && error.code === 'RESOURCE_DOES_NOT_EXIST'
  const final = error instanceof UnusableProfile || (error instanceof AppError && (!missing || referenceAttempts >= MAX_ATTEMPTS))
  return final ? { state: 'failed', profile: null, problem } : { problem }
}

class UnusableProfile extends Error {}

/** manifest → `millrace-model.json` → the file that it names. */
async function readProfile({ blobs }: Pick<DriftMonitorDeps, 'blobs'>, { artifactSha256 }: Monitor): Promise<Settled> {
  if (artifactSha256 === null) return { state: 'none', profile: null, problem: null }
  const { files } = parse(artifactManifest, 'manifest', await blobs.read(artifactSha256, MAX_MANIFEST_BYTES))
  const digestOf = (path: string): string | undefined => files.find((file) => file.path === path)?.sha256
  const specDigest = digestOf(MODEL_SPEC_FILE)
  if (!specDigest) return { state: 'none', profile: null, problem: `the artifact has no ${MODEL_SPEC_FILE}` }
  const spec = parse(modelSpec, MODEL_SPEC_FILE, await blobs.read(specDigest, MAX_FILE_BYTES))
  if (spec.referenceProfile === null) return { state: 'none', profile: null, problem: `${MODEL_SPEC_FILE} names no reference profile` }
  const digest = digestOf(spec.referenceProfile)
  if (!digest) throw new UnusableProfile(`the artifact has no file ${spec.referenceProfile}, which ${MODEL_SPEC_FILE} names`)
  const profile = parse(referenceProfile, spec.referenceProfile, await blobs.read(digest, MAX_FILE_BYTES))
  const problem = findProfileProblem(profile)
  if (problem) throw new UnusableProfile(`${spec.referenceProfile}: ${problem}`)
  return { state: 'ready', profile, problem: null }
}

function parse<Schema extends z.ZodType>(schema: Schema, name: string, content: Buffer): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(content.toString('utf8')))
  } catch (error) {
    throw new UnusableProfile(`${name} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
