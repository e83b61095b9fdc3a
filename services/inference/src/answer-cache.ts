import type { Cache } from '@millrace/platform/cache/cache.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { Tensor } from './domain/tensor.ts'
import { packTensors, unpackTensors } from './domain/tensor-bytes.ts'

/** What a model answered to an input; for pictures with their statistics, so that a reused answer can be logged like any other. */
export interface Answer {
  readonly outputs: readonly Tensor[]
  readonly statistics: readonly number[] | null
}

export interface AnswerCache {
  /**
   * The stored answer, that of the same question being answered right now, or a new one. Only answers are kept: a failure is nobody else's.
   * `key` must name the artifact's digest, so that no version can ever give another's answer.
   */
  answer(key: string, model: string, compute: () => Promise<Answer>): Promise<{ answer: Answer; cached: boolean }>
}

const STATISTICS = '#statistics'

export function createAnswerCache({ cache, metrics, ttlMs }: { cache: Cache; metrics: Metrics; ttlMs: number }): AnswerCache {
  const requests = metrics.counter('inference_cache_requests_total', 'Look-ups in the prediction cache.', ['model', 'result'])
  const running = new Map<string, Promise<Answer>>()
  if (ttlMs === 0) return { answer: async (_key, _model, compute) => ({ answer: await compute(), cached: false }) }

  async function lookUp(key: string): Promise<Answer | null> {
    const bytes = await cache.get(key)
    return bytes ? unpack(bytes) : null
  }

  async function computeOnce(key: string, compute: () => Promise<Answer>): Promise<Answer> {
    const computing = compute()
    running.set(key, computing)
    try {
      const answer = await computing
      void cache.set(key, pack(answer), ttlMs)
      return answer
    } finally {
      running.delete(key)
    }
  }

  return {
    async answer(key, model, compute) {
      const stored = await lookUp(key)
      if (stored) {
        requests.add({ model, result: 'hit' })
        return { answer: stored, cached: true }
      }
      for (let computing = running.get(key); computing; computing = running.get(key)) {
        const shared = await computing.catch(shareFailure)
        if (!shared) continue
        requests.add({ model, result: 'shared' })
        return { answer: shared, cached: true }
      }
      requests.add({ model, result: 'miss' })
      return { answer: await computeOnce(key, compute), cached: false }
    },
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
