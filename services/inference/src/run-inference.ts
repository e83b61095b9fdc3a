import { once } from 'node:events'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Answer, AnswerCache } from './answer-cache.ts'
import { type ArmWish, type ChosenArm, chooseArm, findModel, mayNeed } from './choose-arm.ts'
import type { InferenceDeps } from './deps.ts'
import { countNotFinite } from './domain/count-not-finite.ts'
import type { Tensor } from './domain/tensor.ts'
import type { LoadedVersion } from './loaded-version.ts'
import type { ModelStatistics } from './model-statistics.ts'
import type { ArmObserver } from './observe-arms.ts'
import { rowsOfInputs } from './open-version.ts'
import type { ServedModel } from './served-model.ts'
import type { ServingSet } from './serving-set.ts'

/** The input as one version takes it. */
export interface VersionInput {
  /** Names the content for the cache; the model and the artifact's digest are added. Asked only where there is a cache. */
  readonly contentKey: () => string
  /** Validated tensors, and a picture's statistics. @throws AppError 4xx */
  readonly prepare: () => Promise<{ inputs: readonly Tensor[]; statistics: readonly number[] | null }>
}

/** What a model is asked, whatever protocol it came in. */
export interface InferenceRequest {
  readonly model: string | null
  readonly wish: ArmWish
  /** An arm that the caller chose and holds already. */
  readonly chosen?: ChosenArm
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Reads the request for the version that will answer it. @throws AppError 4xx */
  readonly readFor: (loaded: LoadedVersion) => VersionInput
}

export interface InferenceResult {
  readonly chosen: ChosenArm
  readonly answer: Answer
  readonly cached: boolean
  readonly seconds: number
  /** What was asked, as this version takes it. */
  readonly input: VersionInput
}

export interface RunDeps extends Pick<InferenceDeps, 'metrics' | 'log'> {
  readonly serving: ServingSet
  readonly answers: AnswerCache
  readonly observer: ArmObserver
  readonly statistics: ModelStatistics
}

export type RunInference = (request: InferenceRequest) => Promise<InferenceResult>

/**
 * Chooses the arm, then asks the cache, then the model. The version is held from the choice to the answer, so that a swap in between neither fails the request
 * nor mixes versions. A candidate that fails is answered for by Production.
 * @throws AppError as the status table of the protocol says
 */
export function createRunInference(deps: RunDeps): RunInference {
  const instruments = createInstruments(deps.metrics)
  return async function runInference(request) {
    const served = await wakeModel(deps.serving, request)
    const chosen = request.chosen ?? chooseArm(served, request.wish)
    if (chosen.notLoaded) onNotLoaded(deps, instruments, served.model)
    try {
      return await runOn(deps, instruments, served, chosen, request)
    } catch (error) {
      if (!chosen.bySplit || !isFailureOfModel(error)) throw error
      instruments.fallback.add({ model: served.model, reason: 'candidate_failed' })
      const production: ChosenArm | null = served.production && { ...served.production, name: 'production', bySplit: false, notLoaded: false }
      if (!production) throw error
      return runOn(deps, instruments, served, production, request)
    }
  }
}

/** Production answers this one; the candidate is there for those to come, should it only have made room for others. */
function onNotLoaded({ serving }: RunDeps, { fallback }: Instruments, model: string): void {
  fallback.add({ model, reason: 'not_loaded' })
  void serving.wake(model, ({ arm }) => arm === 'canary' || arm === 'ab')
}

/** The model, once what made room for others is there again: for that a request waits within its deadline. */
export async function wakeModel(serving: ServingSet, { model, wish, deadlineMs, signal }: Omit<InferenceRequest, 'readFor'>): Promise<ServedModel> {
  const served = findModel(serving, model)
  if (served.production && wish.version === null && wish.label === null) return served
  const waking = serving.wake(served.model, mayNeed(wish))
  if (!waking) return served
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.floor(deadlineMs - performance.now())))])
  await Promise.race([waking, once(timeout, 'abort')])
  return findModel(serving, model)
}

type Instruments = ReturnType<typeof createInstruments>

function createInstruments(metrics: InferenceDeps['metrics']) {
  return {
    requests: metrics.counter('inference_requests_total', 'Predictions by outcome.', ['model', 'version', 'arm', 'outcome']),
    duration: metrics.histogram('inference_request_duration_seconds', 'Time of a prediction in this pod.', ['model', 'version', 'arm']),
    rejected: metrics.counter('inference_rejected_total', 'Predictions that were refused for want of room or time.', ['model', 'reason']),
    notFinite: metrics.counter('inference_not_finite_outputs_total', 'NaN and infinities that models answered: JSON has null for them.', ['model', 'version']),
    fallback: metrics.counter('arm_fallback_total', 'Requests of a candidate that Production answered.', ['model', 'reason']),
  }
}

async function runOn(deps: RunDeps, instruments: Instruments, served: ServedModel, chosen: ChosenArm, request: InferenceRequest): Promise<InferenceResult> {
  const { loaded, arm, name } = chosen
  const giveBack = loaded.hold()
  const started = performance.now()
  const labels = { model: served.model, version: arm.version, arm: name }
  const observed = { model: served.model, version: arm.version, arm: name, generation: arm.generation, digest: loaded.digest }
  try {
    const input = request.readFor(loaded)
    const question = { model: served.model, digest: loaded.digest, contentKey: input.contentKey, settings: loaded.settings.cache, ...pick(request) }
    const { answer, cached } = await deps.answers.answer(question, () => compute(loaded, input, request))
    const seconds = (performance.now() - started) / 1000
    instruments.requests.add({ ...labels, outcome: 'ok' })
    const notFinite = cached ? 0 : countNotFinite(answer.outputs)
    if (notFinite > 0) instruments.notFinite.add({ model: served.model, version: arm.version }, notFinite)
    deps.statistics.onRequest(served.model, arm.version, cached ? 'hit' : 'miss', seconds)
    instruments.duration.observe(labels, seconds)
    deps.observer.count(observed, seconds, false)
    return { chosen, answer, cached, seconds, input }
  } catch (error) {
    const failure = toAppError(error)
    instruments.requests.add({ ...labels, outcome: outcomeOf(failure) })
    countRejection(instruments, served.model, failure)
    deps.statistics.onRequest(served.model, arm.version, 'fail', (performance.now() - started) / 1000)
    if (isFailureOfModel(failure)) {
      deps.log.error('a model failed to answer', { ...labels, error })
      deps.observer.count(observed, (performance.now() - started) / 1000, true)
    }
    throw failure
  } finally {
    giveBack()
  }
}

const pick = ({ deadlineMs, signal }: InferenceRequest) => ({ deadlineMs, signal })

async function compute(loaded: LoadedVersion, input: VersionInput, request: InferenceRequest): Promise<Answer> {
  const { inputs, statistics } = await input.prepare()
  const outputs = await loaded.run({ inputs, rows: rowsOfInputs(inputs), deadlineMs: request.deadlineMs, signal: request.signal })
  return { outputs, statistics }
}

/** A model's own error says nothing to a caller, and its text may hold what was sent. */
function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof TransientError) return new AppError('TEMPORARILY_UNAVAILABLE', 'The model is being restarted here: try again.', { cause: error })
  return new AppError('INTERNAL_ERROR', 'The model failed on this input. It has been logged under the request id of this answer.', { cause: error })
}

/** Failures that speak against the version: it broke, or did not answer in time. */
const isFailureOfModel = (error: unknown): boolean => error instanceof AppError && (error.code === 'INTERNAL_ERROR' || error.code === 'DEADLINE_EXCEEDED')

function outcomeOf(failure: AppError): string {
  if (failure.code === 'CANCELLED') return 'cancelled'
  if (failure.code === 'TEMPORARILY_UNAVAILABLE') return 'rejected'
  return failure.status < 500 ? 'refused' : 'failed'
}

function countRejection({ rejected }: Instruments, model: string, { code, details }: AppError): void {
  if (code === 'CANCELLED') rejected.add({ model, reason: 'cancelled' })
  if (code === 'DEADLINE_EXCEEDED') rejected.add({ model, reason: 'deadline' })
  if (code === 'TEMPORARILY_UNAVAILABLE') rejected.add({ model, reason: typeof details['reason'] === 'string' ? details['reason'] : 'not_ready' })
}
