import { runResponse } from '@millrace/contracts/http/tracking.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import type { Actor } from './actor.ts'
import { addVersion, type VersionIntent } from './add-version.ts'
import type { RegistryDeps } from './deps.ts'
import { classifySource, problemOfPromptSource, problemOfSource } from './domain/source.ts'
import { lockModel } from './load-model.ts'
import { onceByKey } from './once-by-key.ts'
import type { RegisterVersion } from './register-version.ts'
import { resolveReference } from './resolve-reference.ts'
import { markAbandoned, markAnswered, markAsked, takeAbandoned } from './store/answers.ts'
import type { Tags } from './store/models.ts'
import { PROMPT_TAG } from './store/search.ts'
import { findVersionById, type VersionRow } from './store/versions.ts'

export type CreateVersionDeps = Pick<RegistryDeps, 'database' | 'once' | 'clock' | 'tracking' | 'config'>

export interface CreateVersionRequest {
  readonly model: string
  readonly source: string
  readonly runId: string
  readonly runLink: string
  readonly loggedModelId: string | null
  readonly description: string
  readonly tags: Tags
  readonly actor: Actor
  readonly idempotencyKey: string | null
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
}

type Resolved = Pick<VersionIntent, 'storageLocation' | 'sealSource' | 'expectedSha256' | 'runId' | 'loggedModelId'>

/** The job looks after a version only when the one who created it must have given up. */
const GRACE_MS = 5_000
/** MLflow's client gives up after seven retries with doubling pauses, each of them up to two minutes long. */
const RETRIES_WITHIN_MS = 20 * 60_000

const loggedModelResponse = z.looseObject({
  model: z.looseObject({ info: z.looseObject({ model_id: z.string(), artifact_uri: z.string(), source_run_id: z.string().optional() }) }),
})

/**
 * Creates a version: records the intent, then takes the job's own step for as long as the caller may wait. Answers the version as it is then: READY, FAILED_REGISTRATION, or
 * PENDING_REGISTRATION where the job goes on. The same request again, after one whose client was gone before the answer, gets the version of the first.
 * @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE
 */
export const createCreateVersion = (deps: CreateVersionDeps, registerVersion: RegisterVersion) =>
  async function createVersion(request: CreateVersionRequest): Promise<VersionRow> {
    refuseSource(request)
    const logged = (await resolveLoggedModel(deps, request.source)) ?? (await resolveInBucket(deps, request))
    const key = request.idempotencyKey === null ? null : `create-version:${request.model}:${request.idempotencyKey}`
    const { id } = await deps.database.transaction((tx) => onceByKey(deps.once, tx, key, () => recordIntent(deps, tx, request, logged)))
    try {
      const row = await awaitVersion(deps, registerVersion, request.model, id)
      await (request.signal.aborted ? markAbandoned(deps.database, id, deps.clock()) : markAnswered(deps.database, id))
      return row
    } catch (error) {
      await markAbandoned(deps.database, id, deps.clock())
      throw error
    }
  }

async function awaitVersion({ database, config }: CreateVersionDeps, registerVersion: RegisterVersion, model: string, id: number): Promise<VersionRow> {
  const waitMs = config.REGISTRY_SEAL_WAIT_MS
  if (waitMs > 0) await registerVersion(id, AbortSignal.timeout(waitMs))
  const row = await findVersionById(database, id)
  if (!row) throw new AppError('RESOURCE_DOES_NOT_EXIST', `Registered Model with name=${model} was deleted in the meantime`)
  return row
}

const isPrompt = (tags: Tags): boolean => tags[PROMPT_TAG] === 'true'

function refuseSource({ source, tags }: CreateVersionRequest): void {
  const problem = isPrompt(tags) ? problemOfPromptSource(source) : problemOfSource(source)
  if (problem) throw new AppError('INVALID_PARAMETER_VALUE', problem)
}

/** `models:/m-…`: tracking knows where it lies and which run made it. */
async function resolveLoggedModel({ tracking }: CreateVersionDeps, source: string): Promise<Resolved | null> {
  const classified = classifySource(source)
  if (classified.kind !== 'logged-model') return null
  const path = `/api/2.0/mlflow/logged-models/${encodeURIComponent(classified.modelId)}`
  const { model } = await tracking.call({ method: 'GET', path, response: loggedModelResponse })
  return {
    storageLocation: model.info.artifact_uri,
    sealSource: source,
    expectedSha256: null,
    runId: model.info.source_run_id ?? '',
    loggedModelId: classified.modelId,
  }
}

/** Files in a bucket are tracking's to seal where they lie below the run that they are said to be of: clients turn `runs:/…` into such an address. */
async function resolveInBucket({ tracking }: CreateVersionDeps, { source, runId, tags }: CreateVersionRequest): Promise<Resolved | null> {
  if (runId === '' || !source.startsWith('s3://') || isPrompt(tags)) return null
  const path = `/api/2.0/mlflow/runs/get?run_id=${encodeURIComponent(runId)}`
  const answer = await tracking.call({ method: 'GET', path, response: runResponse }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'RESOURCE_DOES_NOT_EXIST') return null
    throw error
  })
  const isOfRun = answer !== null && source.startsWith(`${answer.run.info.artifact_uri}/`)
  return isOfRun ? { storageLocation: source, sealSource: source, expectedSha256: null, runId, loggedModelId: null } : null
}

async function recordIntent(deps: CreateVersionDeps, tx: Sql, request: CreateVersionRequest, logged: Resolved | null): Promise<{ id: number }> {
  const locked = await lockModel(tx, request.model)
  const resolved = logged ?? (await resolveStored(tx, request))
  const now = deps.clock()
  const creation = { ...request, modelId: locked.row.id, user: request.actor.user }
  const abandoned = await takeAbandoned(tx, creation, new Date(now.getTime() - RETRIES_WITHIN_MS))
  if (abandoned !== null) return { id: abandoned }
  const waitMs = deps.config.REGISTRY_SEAL_WAIT_MS
  const attemptAt = waitMs > 0 ? new Date(now.getTime() + waitMs + GRACE_MS) : now
  const { source, runLink, description, tags, actor } = request
  const runId = request.runId || resolved.runId
  const loggedModelId = request.loggedModelId ?? resolved.loggedModelId
  const intent = { ...resolved, source, runLink, description, tags, runId, loggedModelId, automatic: false, run: null }
  const { id } = await addVersion(tx, locked, intent, { actor, now, attemptAt })
  await markAsked(tx, id)
  return { id }
}

async function resolveStored(tx: Sql, { source, tags }: CreateVersionRequest): Promise<Resolved> {
  const plain = { storageLocation: source, expectedSha256: null, runId: '', loggedModelId: null }
  if (isPrompt(tags)) return { ...plain, sealSource: null }
  const classified = classifySource(source)
  if (classified.kind !== 'version') return { ...plain, sealSource: classified.kind === 'tracked' ? source : null }
  const origin = await resolveReference(tx, classified.model, classified.reference)
  const { storage_location: storageLocation, seal_source: sealSource, run_id: runId, logged_model_id: loggedModelId, artifact } = origin
  // A copy must be of the very bytes that the original was registered with, whatever lies under its path by now.
  return { storageLocation, sealSource, runId, loggedModelId, expectedSha256: artifact?.sha256 ?? null }
}
