import { z } from 'zod'
import { type Spread, spreadOf } from '../percentile.ts'
import { API, type Target } from './target.ts'

const madeRun = z.looseObject({ run: z.looseObject({ info: z.looseObject({ run_id: z.string() }) }) })
const madeExperiment = z.looseObject({ experiment_id: z.string() })

export async function createExperiment(target: Target, name: string): Promise<string> {
  return madeExperiment.parse(JSON.parse(await target.ask('POST', `${API}/experiments/create`, { name: `${name}-${Date.now()}` }))).experiment_id
}

export async function createRun(target: Target, experimentId: string): Promise<string> {
  const body = { experiment_id: experimentId, start_time: Date.now() }
  return madeRun.parse(JSON.parse(await target.ask('POST', `${API}/runs/create`, body))).run.info.run_id
}

const metric = (key: string, step: number) => ({ key, value: Math.sin(step), timestamp: 1_700_000_000_000 + step, step })
const BATCH = 1000
const KEYS = 100
const batchFrom = (step: number) => Array.from({ length: BATCH }, (_, n) => metric(`metric_${n % KEYS}`, step * BATCH + n))

async function timed(count: number, work: (n: number) => Promise<unknown>): Promise<Spread> {
  const samples: number[] = []
  for (let n = 0; n < count; n += 1) {
    const begun = performance.now()
    await work(n)
    samples.push(performance.now() - begun)
  }
  return spreadOf(samples)
}

/** `clients` at once, each with a run of its own, for so long. Calls per second. */
async function rate(target: Target, experimentId: string, options: { clients: number; seconds: number; call: (runId: string, n: number) => Promise<unknown> }) {
  const runs = await Promise.all(Array.from({ length: options.clients }, () => createRun(target, experimentId)))
  const begun = performance.now()
  const until = begun + options.seconds * 1000
  let calls = 0
  const client = async (runId: string): Promise<void> => {
    for (let n = 0; performance.now() < until; n += 1) {
      await options.call(runId, n)
      calls += 1
    }
  }
  await Promise.all(runs.map(client))
  return calls / ((performance.now() - begun) / 1000)
}

export interface LoggingFigures {
  /** Milliseconds. */
  readonly logMetric: Spread
  readonly logBatch: Spread
  readonly createRun: Spread
  /** Per second, 16 clients. */
  readonly logMetricRate: number
  readonly metricsRate: number
}

export async function measureLogging(target: Target, { count, seconds }: { count: number; seconds: number }): Promise<LoggingFigures> {
  const experimentId = await createExperiment(target, 'logging')
  const runId = await createRun(target, experimentId)
  const logMetric = (run: string, n: number) => target.ask('POST', `${API}/runs/log-metric`, { run_id: run, ...metric('loss', n) })
  const logBatch = (run: string, n: number) => target.ask('POST', `${API}/runs/log-batch`, { run_id: run, metrics: batchFrom(n) })
  const warm = await createRun(target, experimentId)
  await timed(Math.ceil(count / 4), (n) => logMetric(warm, n))
  const one = await timed(count, (n) => logMetric(runId, n))
  await timed(Math.ceil(count / 40), (n) => logBatch(warm, n))
  const batch = await timed(Math.ceil(count / 10), (n) => logBatch(runId, n))
  const creating = await timed(Math.ceil(count / 5), () => createRun(target, experimentId))
  const logMetricRate = await rate(target, experimentId, { clients: 16, seconds, call: logMetric })
  const batches = await rate(target, experimentId, { clients: 16, seconds, call: logBatch })
  return { logMetric: one, logBatch: batch, createRun: creating, logMetricRate, metricsRate: batches * BATCH }
}

/** A thousand runs with ten metrics and ten params each, by the API. */
export async function fillByApi(target: Target, runs: number): Promise<string> {
  const experimentId = await createExperiment(target, 'filled')
  const ten = Array.from({ length: 10 }, (_, n) => n)
  for (let from = 0; from < runs; from += 8) {
    await Promise.all(
      Array.from({ length: Math.min(8, runs - from) }, async (_, offset) => {
        const n = from + offset
        const params = ten.map((key) => ({ key: `param_${key}`, value: `value ${(n * (key + 1)) % 97}` }))
        const metrics = ten.map((key) => ({ ...metric(`metric_${key}`, 0), value: ((n * 7919 + key * 104729) % 10_007) / 10_007 }))
        await target.ask('POST', `${API}/runs/log-batch`, { run_id: await createRun(target, experimentId), params, metrics })
      }),
    )
  }
  return experimentId
}

/** Milliseconds of a call that is made so often. */
export const measureCall = (count: number, call: () => Promise<unknown>): Promise<Spread> => timed(count, call)
