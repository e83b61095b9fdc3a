import type { BatchReport } from './batcher.ts'

interface Duration {
  count: number
  ns: number
}

interface BatchCounts {
  readonly size: number
  readonly compute: Duration
}

interface Counts {
  lastInferenceMs: number
  rows: number
  executions: number
  readonly success: Duration
  readonly fail: Duration
  readonly queue: Duration
  readonly compute: Duration
  readonly hit: Duration
  readonly miss: Duration
  readonly batches: Map<number, BatchCounts>
}

/** How a request ended: `hit` where the answer was there already. */
export type Ending = 'hit' | 'miss' | 'fail'

/** Counts since this pod started, in the words of Triton's statistics extension. */
export interface ModelStatistics {
  onRequest(model: string, version: string, ending: Ending, seconds: number): void
  onBatch(version: { readonly model: string; readonly version: string }, batch: BatchReport): void
  describe(model: string, version: string): Readonly<Record<string, unknown>>
}

const duration = (): Duration => ({ count: 0, ns: 0 })

function addTo(total: Duration, ms: number, count = 1): void {
  total.count += count
  total.ns += Math.round(ms * 1e6)
}

const noCounts = (): Counts => ({
  ...{ lastInferenceMs: 0, rows: 0, executions: 0, success: duration(), fail: duration(), queue: duration() },
  ...{ compute: duration(), hit: duration(), miss: duration(), batches: new Map() },
})

/** Input and output are handed over within the run of the model: they take no time of their own. `keep` bounds what versions that came and went leave behind. */
export function createModelStatistics(now: () => number, keep = 1000): ModelStatistics {
  const versions = new Map<string, Counts>()

  function countsOf(model: string, version: string): Counts {
    const key = `${model}\0${version}`
    const counts = versions.get(key) ?? noCounts()
    if (!versions.has(key) && versions.size >= keep) for (const oldest of versions.keys().take(1)) versions.delete(oldest)
    versions.set(key, counts)
    return counts
  }

  return {
    onRequest(model, version, ending, seconds) {
      const counts = countsOf(model, version)
      const ms = seconds * 1000
      addTo(ending === 'fail' ? counts.fail : counts.success, ms)
      if (ending !== 'fail') addTo(ending === 'hit' ? counts.hit : counts.miss, ms)
    },
    onBatch({ model, version }, { rows, queueMs, computeMs }) {
      const counts = countsOf(model, version)
      counts.lastInferenceMs = now()
      counts.rows += rows
      counts.executions++
      addTo(counts.queue, queueMs)
      addTo(counts.compute, computeMs)
      const batch = counts.batches.get(rows) ?? { size: rows, compute: duration() }
      addTo(batch.compute, computeMs)
      counts.batches.set(rows, batch)
    },
    describe: (model, version) => describe(model, version, countsOf(model, version)),
  }
}

function describe(name: string, version: string, counts: Counts) {
  const { success, fail, queue, compute, hit, miss } = counts
  const nothing = { count: compute.count, ns: 0 }
  return {
    name,
    version,
    last_inference: counts.lastInferenceMs,
    inference_count: counts.rows,
    execution_count: counts.executions,
    inference_stats: { success, fail, queue, compute_input: nothing, compute_infer: compute, compute_output: nothing, cache_hit: hit, cache_miss: miss },
    response_stats: {},
    batch_stats: [...counts.batches.values()].map((batch) => {
      const idle = { count: batch.compute.count, ns: 0 }
      return { batch_size: batch.size, compute_input: idle, compute_infer: batch.compute, compute_output: idle }
    }),
  }
}
