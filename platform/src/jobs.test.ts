import { afterEach, expect, test } from 'vitest'
import type { Started } from './component.ts'
import { type Jobs, startJobs } from './jobs.ts'
import { type Log, silentLog } from './log.ts'
import type { Job } from './service.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { until } from './testing/until.ts'

const NEVER_MS = 3_600_000
const running: Started<Jobs>[] = []
afterEach(async () => {
  for (const jobs of running.splice(0)) await jobs.stop()
})

function start(jobs: readonly Job[], log: Log = silentLog): Jobs {
  const started = startJobs({ jobs, log, metrics: createMetrics('test') })
  running.push(started)
  return started.value
}

test('a job runs at the start, and again at once while it says that there is more', async () => {
  let runs = 0
  start([{ name: 'a', everyMs: NEVER_MS, run: async () => ++runs < 5 }])
  await until(() => runs === 5)
})

test('a wake cuts the pause short: of one job, or of all', async () => {
  const runs = { a: 0, b: 0 }
  const job = (name: 'a' | 'b'): Job => ({ name, everyMs: NEVER_MS, run: async () => ++runs[name] < 0 })
  const jobs = start([job('a'), job('b')])
  await until(() => runs.a === 1 && runs.b === 1)
  jobs.wake('a')
  await until(() => runs.a === 2)
  jobs.wake()
  await until(() => runs.a === 3 && runs.b === 2)
})

test('a wake during a run is not forgotten', async () => {
  const gate = Promise.withResolvers<void>()
  let runs = 0
  const run = async (): Promise<boolean> => {
    runs += 1
    await gate.promise
    return false
  }
  const jobs = start([{ name: 'a', everyMs: NEVER_MS, run }])
  await until(() => runs === 1)
  jobs.wake('a')
  gate.resolve()
  await until(() => runs === 2)
})

test('what a run causes wakes the other jobs, not the job itself', async () => {
  const runs = { own: 0, other: 0 }
  let jobs: Jobs | null = null
  const own = async (): Promise<boolean> => {
    runs.own += 1
    jobs?.wake()
    return false
  }
  jobs = start([
    { name: 'own', everyMs: NEVER_MS, run: own },
    { name: 'other', everyMs: NEVER_MS, run: async () => ++runs.other < 0 },
  ])
  await until(() => runs.own === 1 && runs.other >= 1)
  const before = runs.other
  jobs.wake('own')
  await until(() => runs.own === 2 && runs.other === before + 1)
  expect(runs.own).toBe(2)
})

test('a failing job is tried again, as a warning first and an error from the fifth time on', async () => {
  const levels: string[] = []
  const log: Log = { ...silentLog, warn: () => void levels.push('warn'), error: () => void levels.push('error') }
  let runs = 0
  const run = async (): Promise<boolean> => {
    runs += 1
    if (runs <= 6) throw new Error('down')
    return false
  }
  start([{ name: 'a', everyMs: NEVER_MS, run }], log)
  await until(() => runs === 7)
  expect(levels).toEqual(['warn', 'warn', 'warn', 'warn', 'error', 'error'])
})

test('stop aborts the signal, waits for the run in hand and starts no other', async () => {
  let ended = 0
  let begun = 0
  const run = async (signal: AbortSignal): Promise<boolean> => {
    begun += 1
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)))
    ended += 1
    return true
  }
  const started = startJobs({ jobs: [{ name: 'a', everyMs: 1, run }], log: silentLog, metrics: createMetrics('test') })
  await until(() => begun === 1)
  await started.stop()
  expect([begun, ended]).toEqual([1, 1])
})
