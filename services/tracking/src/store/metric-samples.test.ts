import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
})
afterAll(() => tracking.stop())

const start = async () => (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')

async function logSteps(steps: readonly number[], key = 'm'): Promise<string> {
  const runId = await start()
  for (let from = 0; from < steps.length; from += 1000) {
    const metrics = steps.slice(from, from + 1000).map((step) => ({ key, value: step / 2, timestamp: 1000 + step, step }))
    expect((await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics } })).status).toBe(200)
  }
  return runId
}

const upTo = (count: number, factor = 1, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index * factor)

async function sample(runIds: readonly string[], query = ''): Promise<Map<string, number[]>> {
  const ids = runIds.map((id) => `run_ids=${id}`).join('&')
  const { json } = await call('GET', `metrics/get-history-bulk-interval?${ids}&metric_key=m${query}`)
  const metrics: { run_id: string; step: number }[] = Reflect.get(Object(json), 'metrics') ?? []
  return new Map(
    Map.groupBy(metrics, (metric) => metric.run_id)
      .entries()
      .map(([id, points]) => [id, points.map((point) => point.step)]),
  )
}

/** The rule in plain words: every i-th of the distinct steps, the last of them, and each run's own first and last in the interval. */
function expectedSteps(runs: readonly (readonly number[])[], most: number, start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY): Set<number> {
  const inside = (step: number | undefined): step is number => step !== undefined && step >= start && step <= end
  const distinct = [...new Set(runs.flat().filter(inside))].sort((left, right) => left - right)
  const spread = distinct.length <= most ? distinct : upTo(most).map((i) => distinct[Math.floor((i * distinct.length) / most)])
  const ends = runs.flatMap((steps) => [Math.min(...steps), Math.max(...steps)])
  return new Set([...spread, distinct.at(-1), ...ends].filter(inside))
}

test.each([
  [10, undefined, undefined],
  [7, undefined, undefined],
  [1, undefined, undefined],
  [99, undefined, undefined],
  [2500, undefined, undefined],
  [5, 20, 150],
  [3, 101, 101],
])('of two runs with different steps at most %i steps come back, from %s to %s', async (most, start, end) => {
  const runs = [upTo(100, 1, -10), upTo(60, 3, 5)]
  const ids = await Promise.all(runs.map((steps) => logSteps(steps)))
  const interval = start === undefined ? '' : `&start_step=${start}&end_step=${end}`
  const found = await sample(ids, `&max_results=${most}${interval}`)
  const kept = expectedSteps(runs, most, start, end)
  ids.forEach((id, index) => {
    expect(found.get(id) ?? [], `run ${index}`).toEqual((runs[index] ?? []).filter((step) => kept.has(step)))
  })
})

test('a run with all its points at one step comes back thinned as well, with its last point', async () => {
  const runId = await start()
  const metrics = upTo(1000).map((index) => ({ key: 'm', value: index, timestamp: index, step: 0 }))
  await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics } })
  const { json } = await call('GET', `metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=m&max_results=10`)
  const values: number[] = Reflect.get(Object(json), 'metrics').map((metric: { value: number }) => metric.value)
  expect(values).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 999])
})

test('the points of several runs come by run, timestamp and step, NaN as text, and no more than asked for', async () => {
  const first = await logSteps([3, 1, 2])
  const second = await logSteps([5])
  await call('POST', 'runs/log-metric', { body: { run_id: second, key: 'm', value: 'NaN', timestamp: 1, step: 9 } })
  const bulk = (query: string) => call('GET', `/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id=${first}&run_id=${second}&metric_key=m${query}`)
  const point = (run_id: string, step: number) => ({ key: 'm', run_id, step, timestamp: 1000 + step, value: step / 2 })
  const points = [point(first, 1), point(first, 2), point(first, 3), { ...point(second, 9), value: 'NaN', timestamp: 1 }, point(second, 5)]
  const byRun = points.toSorted((left, right) => (left.run_id < right.run_id ? -1 : Number(left.run_id > right.run_id)))
  expect((await bulk('')).json).toEqual({ metrics: byRun })
  expect((await bulk('&max_results=2')).json).toEqual({ metrics: byRun.slice(0, 2) })
  expect((await call('GET', `metrics/get-history-bulk?run_id=none&metric_key=m`)).json).toEqual({ metrics: [] })
  expect((await call('GET', `metrics/get-history-bulk-interval?run_ids=none&metric_key=m`)).json).toEqual({})
})

const many = (name: string): string =>
  upTo(101)
    .map((index) => `${name}=r${index}`)
    .join('&')

test.each([
  ['metrics/get-history-bulk?metric_key=m', 'GetMetricHistoryBulk request must specify at least one run_id.'],
  [`metrics/get-history-bulk?metric_key=m&${many('run_id')}`, 'GetMetricHistoryBulk request cannot specify more than 100 run_ids. Received 101 run_ids.'],
  ['metrics/get-history-bulk?run_id=a', 'GetMetricHistoryBulk request must specify a metric_key.'],
  ['metrics/get-history-bulk-interval?run_ids=a', "Missing value for required parameter 'metric_key'."],
  ['metrics/get-history-bulk-interval?metric_key=m', "Missing value for required parameter 'run_ids'."],
  [
    `metrics/get-history-bulk-interval?metric_key=m&${many('run_ids')}`,
    'GetMetricHistoryBulkInterval request must specify at most 100 run_ids. Received 101 run_ids.',
  ],
  ['metrics/get-history-bulk-interval?metric_key=m&run_ids=a&max_results=0', 'max_results must be between 1 and 2500'],
  ['metrics/get-history-bulk-interval?metric_key=m&run_ids=a&max_results=2501', 'max_results must be between 1 and 2500'],
  ['metrics/get-history-bulk-interval?metric_key=m&run_ids=a&start_step=1', 'If either start step or end step are specified, both must be specified.'],
  [
    'metrics/get-history-bulk-interval?metric_key=m&run_ids=a&start_step=2&end_step=1',
    'end_step must be greater than start_step. Found start_step=2 and end_step=1.',
  ],
])('%s is refused', async (path, message) => {
  const answer = await call('GET', path)
  expect([answer.status, answer.text('error_code')]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
  expect(answer.text('message')).toContain(message)
})
