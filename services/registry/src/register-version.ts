import { modelVersionRegistered } from '@millrace/contracts/events/model-events.ts'
import { AppError, type ErrorCode, messageOf, TransientError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { RegistryDeps } from './deps.ts'
import { announceRegistration } from './openlineage/announce-lineage.ts'
import { type Sealed, sealArtifact } from './seal-artifact.ts'
import { appendAudit } from './store/audit.ts'
import { insertPinRelease } from './store/pins.ts'
import { markFailed, markReady, postponeRegistration } from './store/registration.ts'
import { lockServing } from './store/serving.ts'
import { findVersionById, type VersionRow } from './store/versions.ts'

export type RegisterDeps = Pick<RegistryDeps, 'database' | 'publish' | 'clock' | 'log' | 'metrics' | 'tracking' | 'blobs' | 'config'>

/** `later`: something was in the way, the job tries again. `gone`: there is nothing left to do. */
export type RegistrationOutcome = 'ready' | 'failed' | 'later' | 'gone'
export type RegisterVersion = (id: number, signal: AbortSignal) => Promise<RegistrationOutcome>

const JOB = { user: 'registry', requestId: '' }
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

/** What asking again will not change; any other code may be a fault on the way. */
const DETERMINISTIC: readonly ErrorCode[] = ['BAD_REQUEST', 'INVALID_PARAMETER_VALUE', 'RESOURCE_DOES_NOT_EXIST', 'RESOURCE_CONFLICT', 'PAYLOAD_TOO_LARGE']

/** Whether asking again would only bring the same refusal. */
export const isDeterministic = (error: unknown): error is AppError => error instanceof AppError && DETERMINISTIC.includes(error.code)

/** The pause before the next try: 1 s, doubling, at most a minute. */
export const pauseMs = (attempts: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 10))

/**
 * One step of a registration: seal the files, read what they are, then make the version READY and announce it, in one transaction. Safe to run twice at once
 * and after a crash at any point: the seal is the same pin, and only a version that is still pending changes.
 */
export const createRegisterVersion = (deps: RegisterDeps): RegisterVersion => {
  const outcomes = deps.metrics.counter('registry_registrations_total', 'Steps of version registrations.', ['outcome'])
  return async function registerVersion(id, signal) {
    const row = await findVersionById(deps.database, id)
    const outcome = row && isPending(row) ? await attempt(deps, row, signal) : 'gone'
    outcomes.add({ outcome })
    return outcome
  }
}

const isPending = (row: VersionRow): boolean => row.status === 'PENDING_REGISTRATION' && row.deleted_at === null

async function attempt(deps: RegisterDeps, row: VersionRow, signal: AbortSignal): Promise<RegistrationOutcome> {
  try {
    const sealed = await sealArtifact(deps, row, signal).catch((error: unknown) => refusalOf(error))
    return await deps.database.transaction((tx) => finish(deps, tx, row, sealed))
  } catch (error) {
    const attemptAt = new Date(deps.clock().getTime() + pauseMs(row.attempts))
    const message = `Waiting to try again: ${error instanceof AppError || error instanceof TransientError ? messageOf(error) : 'a fault inside'}`
    await postponeRegistration(deps.database, row.id, message, attemptAt)
    const report = error instanceof TransientError || signal.aborted ? deps.log.warn : deps.log.error
    report('registration could not go on and is tried again', { model: row.name, version: row.version, attempts: row.attempts + 1, error })
    return 'later'
  }
}

/** A refusal is an outcome; anything else goes on as the fault it is. */
function refusalOf(error: unknown): AppError {
  if (isDeterministic(error)) return error
  throw error
}

/** The version may have been renamed, deleted or registered by another process while its files were sealed. */
async function finish(deps: RegisterDeps, tx: Sql, before: VersionRow, sealed: Sealed | AppError): Promise<RegistrationOutcome> {
  await lockServing(tx, before.name)
  const row = await findVersionById(tx, before.id)
  if (row && row.name !== before.name) throw new TransientError(`the model was renamed to ${row.name} in the meantime`)
  if (!row || row.deleted_at !== null) {
    await letGo(deps, tx, before, sealed)
    return 'gone'
  }
  if (row.status !== 'PENDING_REGISTRATION') return 'gone'
  return sealed instanceof AppError ? fail(deps, tx, row, sealed) : succeed(deps, tx, row, sealed)
}

async function letGo(deps: RegisterDeps, tx: Sql, row: VersionRow, sealed: Sealed | AppError): Promise<void> {
  if (sealed instanceof AppError || !sealed.artifact || row.seal_source === null) return
  await insertPinRelease(tx, { holder: row.pin_holder, source: row.seal_source, sha256: sealed.artifact.sha256 }, deps.clock())
}

async function fail(deps: RegisterDeps, tx: Sql, row: VersionRow, refusal: AppError): Promise<RegistrationOutcome> {
  await markFailed(tx, row.id, refusal.message)
  const { name: model, model_id: modelId, version } = row
  const to = 'FAILED_REGISTRATION'
  await appendAudit(tx, JOB, deps.clock(), { action: 'register-version', model, modelId, version, from: row.status, to, reason: refusal.message })
  deps.log.warn('registration failed', { model, version, source: row.source, code: refusal.code, reason: refusal.message })
  return 'failed'
}

async function succeed(deps: RegisterDeps, tx: Sql, row: VersionRow, sealed: Sealed): Promise<RegistrationOutcome> {
  const { artifact, servability, runId } = sealed
  const unservableReason = servability.servable ? null : servability.reason
  await markReady(tx, row.id, { artifact, signature: servability.servable ? servability.signature : null, unservableReason, runId })
  const { name: model, model_id: modelId, version } = row
  const details = { artifact: artifact?.sha256 ?? null, servable: servability.servable }
  await appendAudit(tx, JOB, deps.clock(), { action: 'register-version', model, modelId, version, from: row.status, to: 'READY', details })
  const data = {
    model,
    version: String(version),
    runId: row.run_id || runId,
    source: row.source,
    artifact,
    servable: servability.servable,
    unservableReason,
    registeredBy: row.user_id,
    automatic: row.automatic,
  }
  await deps.publish(tx, { definition: modelVersionRegistered, subject: model, data })
  const { source, logged_model_id: loggedModelId } = row
  const sizeBytes = artifact?.sizeBytes ?? null
  const experimentId = row.run?.experimentId ?? null
  const registered = { model, version, source, loggedModelId, sizeBytes, experimentId, runId: row.run_id || (runId ?? '') }
  if (artifact) await announceRegistration(deps, tx, registered)
  deps.log.info('version registered', { model, version, artifact: artifact?.sha256, servable: servability.servable })
  return 'ready'
}
