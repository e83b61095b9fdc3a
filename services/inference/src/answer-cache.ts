import type { Cache } from '@millrace/platform/cache/cache.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { CacheSettings } from './domain/model-settings.ts'
import type { Tensor } from './domain/tensor.ts'
import { packTensors, unpackTensors } from './domain/tensor-bytes.ts'
import { createLocalAnswers } from './local-answers.ts'

/** What a model answered to an input; for pictures with their statistics, so that a reused answer can be logged like any other. */
export interface Answer {
  readonly outputs: readonly Tensor[]
  readonly statistics: readonly number[] | null
}

export interface AnswerCache {
  /**
   * The stored answer, that of the same question being answered right now, or a new one. Only answers are kept: a failure is nobody else's.
   */
  answer(question: Question, compute: () => Promise<Answer>): Promise<{ answer: Answer; cached: boolean }>
  /** Lets go of what is kept in this process of a version that was freed. */
  forget(model: string, digest: string): void
}

export interface Question {
  readonly model: string
  /** Of the artifact that answers: so no version can ever give another's answer. */
  readonly digest: string
  /** Names the requested outputs and the canonical input. */
  readonly contentKey: () => string
  readonly settings: CacheSettings
  /** On the clock of `performance.now()`: nobody waits longer for what another asked. */
  readonly deadlineMs: number
  /** The client has gone. */
  readonly signal: AbortSignal
}

const STATISTICS = '#statistics'

const prefixOf = (model: string, digest: string): string => `inference:${model}:${digest}:`

/** First in this process, then in `cache`, which all pods share; whatever that one cannot give in time is a miss. */
export function createAnswerCache({ cache, metrics }: { cache: Cache; metrics: Metrics }): AnswerCache {
  const requests = metrics.counter('inference_cache_requests_total', 'Look-ups in the prediction cache.', ['model', 'result'])
  const local = createLocalAnswers(() => performance.now())
  const running = new Map<string, Promise<Answer>>()

  async function lookUp(key: string, { model, settings }: Question): Promise<{ answer: Answer; result: string } | null> {
    const near = local.get(model, key)
    if (near) return { answer: near, result: 'hit' }
    if (running.has(key)) return null
    const bytes = await cache.get(key)
    const far = bytes ? unpack(bytes) : null
    if (far) local.set(model, key, far, settings)
    // What was computed meanwhile is here.
    const found = far ?? local.get(model, key)
    return found && { answer: found, result: far ? 'hit_shared_cache' : 'hit' }
  }

  async function computeOnce(key: string, { model, settings }: Question, compute: () => Promise<Answer>): Promise<Answer> {
    const computing = compute()
    running.set(key, computing)
    try {
      const answer = await computing
      local.set(model, key, answer, settings)
      void cache.set(key, pack(answer), settings.ttlMs)
      return answer
    } finally {
      running.delete(key)
    }
  }

  return {
    async answer(question, compute) {
      const { model, digest, contentKey, settings } = question
      if (settings.ttlMs === 0) return { answer: await compute(), cached: false }
      const key = `${prefixOf(model, digest)}${contentKey()}`
      const stored = await lookUp(key, question)
      if (stored) {
        requests.add({ model, result: stored.result })
        return { answer: stored.answer, cached: true }
      }
      for (let computing = running.get(key); computing; computing = running.get(key)) {
        const shared = await waitFor(computing, question)
        if (!shared) continue
        requests.add({ model, result: 'shared' })
        return { answer: shared, cached: true }
      }
      requests.add({ model, result: 'miss' })
      return { answer: await computeOnce(key, question, compute), cached: false }
    },
    forget: (model, digest) => local.drop(model, prefixOf(model, digest)),
  }
}

/** What another request is computing, for as long as this one has time. Null: that one was given up. @throws AppError DEADLINE_EXCEEDED, CANCELLED */
async function waitFor(computing: Promise<Answer>, { deadlineMs, signal }: Question): Promise<Answer | null> {
  const own = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => own.reject(new AppError('DEADLINE_EXCEEDED', 'The deadline of the request passed before its answer was ready.')),
    Math.max(0, deadlineMs - performance.now()),
  )
  const onGone = () => own.reject(new AppError('CANCELLED', 'The client went away before its answer was ready.'))
  signal.addEventListener('abort', onGone, { once: true })
  try {
    return await Promise.race([computing.catch(shareFailure), own.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onGone)
  }
}

const OWN_FAULTS = new Set<string>(['CANCELLED', 'DEADLINE_EXCEEDED', 'TEMPORARILY_UNAVAILABLE'])

/** Whoever asked first may have gone away, or had less time: that says nothing about the others. A model that failed did so for all. */
function shareFailure(error: unknown): null {
  if (error instanceof TransientError || (error instanceof AppError && OWN_FAULTS.has(error.code))) return null
  throw error
}

function pack({ outputs, statistics }: Answer): Buffer {
  const numbers: Tensor[] = statistics ? [{ name: STATISTICS, datatype: 'FP64', shape: [statistics.length], data: Float64Array.from(statistics) }] : []
  return Buffer.from(packTensors([...outputs, ...numbers]).buffer)
}

/** Bytes that cannot be read (written by another version of this code) are a miss. */
function unpack(bytes: Buffer): Answer | null {
  try {
    const tensors = unpackTensors(bytes)
    const numbers = tensors.find(({ name }) => name === STATISTICS)?.data
    return { outputs: tensors.filter(({ name }) => name !== STATISTICS), statistics: numbers instanceof Float64Array ? Array.from(numbers) : null }
  } catch {
    return null
  }
}
