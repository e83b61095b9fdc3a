import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from './testing/call.ts'
import type { RunningTracking, startTracking } from './testing/start-tracking.ts'

const WRITERS = 16

/** What holds whoever writes at once, on every database. */
export function concurrencyContract(begin: () => ReturnType<typeof startTracking>): void {
  let tracking: Awaited<ReturnType<typeof startTracking>>
  let call: RunningTracking['call']

  beforeAll(async () => {
    tracking = await begin()
    call = tracking.value.call
  })
  afterAll(() => tracking.stop())

  const start = async (experiment = '0') => (await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('run', 'info', 'run_id')
  const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => work(index)))

  test('of clients that make one experiment at once, one makes it and the others are told', async () => {
    const answers = await times(5, () => call('POST', 'experiments/create', { body: { name: 'same' } }))
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
    expect(answers.filter((answer) => answer.text('error_code') === 'RESOURCE_ALREADY_EXISTS')).toHaveLength(4)
  })

  test('of clients that log one param differently, the first stands', async () => {
    const runId = await start()
    const answers = await times(5, (index) => call('POST', 'runs/log-parameter', { body: { run_id: runId, key: 'p', value: String(index) } }))
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
    expect(answers.filter((answer) => answer.text('message').startsWith('Changing param values is not allowed.'))).toHaveLength(4)
  })

  test('the latest point is the greatest, whatever order points arrive in, and repeats are kept once', async () => {
    const runId = await start()
    const log = (step: number) => call('POST', 'runs/log-metric', { body: { run_id: runId, key: 'm', value: -step, timestamp: 100 - step, step } })
    await Promise.all([7, 3, 9, 1, 9, 4].map(log))
    const run = await call('GET', `runs/get?run_id=${runId}`)
    expect(run.json).toMatchObject({ run: { data: { metrics: [{ key: 'm', value: -9, timestamp: 91, step: 9 }] } } })
    const history = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m`)
    expect([0, 1, 2, 3, 4, 5].map((index) => history.text('metrics', index, 'step'))).toEqual(['9', '7', '4', '3', '1', ''])
  })

  test('a history comes in pages that meet without a gap or a repeat', async () => {
    const runId = await start()
    const metrics = Array.from({ length: 10 }, (_, index) => ({
      key: 'm',
      value: index === 4 ? 'NaN' : index % 3,
      timestamp: Math.floor(index / 4),
      step: index % 2,
    }))
    await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics } })
    const whole = (await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m`)).json
    const seen: unknown[] = []
    let token = ''
    do {
      const page = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m&max_results=3&page_token=${token}`)
      for (let index = 0; page.text('metrics', index, 'key') !== ''; index++) seen.push(Reflect.get(Object(page.json), 'metrics')[index])
      token = page.text('next_page_token')
    } while (token !== '')
    expect({ metrics: seen }).toEqual(whole)
  })

  test('deleting an experiment takes its runs along, restoring brings back all of them', async () => {
    const experiment = (await call('POST', 'experiments/create', { body: { name: 'e' } })).text('experiment_id')
    const runs = await times(3, () => start(experiment))
    await call('POST', 'runs/delete', { body: { run_id: runs[0] } })
    const stages = () => Promise.all(runs.map(async (run) => (await call('GET', `runs/get?run_id=${run}`)).text('run', 'info', 'lifecycle_stage')))
    expect((await call('POST', 'experiments/delete', { body: { experiment_id: experiment } })).status).toBe(200)
    expect((await call('POST', 'experiments/delete', { body: { experiment_id: experiment } })).status).toBe(404)
    expect(await stages()).toEqual(['deleted', 'deleted', 'deleted'])
    expect((await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('message')).toContain("must be in the 'active' state")
    expect((await call('POST', 'experiments/restore', { body: { experiment_id: experiment } })).status).toBe(200)
    expect((await call('POST', 'experiments/restore', { body: { experiment_id: experiment } })).status).toBe(404)
    expect(await stages()).toEqual(['active', 'active', 'active'])
  })

  const codesOf = (answers: readonly Answer[]): string[] => answers.map((answer) => answer.text('error_code') || String(answer.status))
  const shuffled = <Item>(items: readonly Item[], by: number): Item[] =>
    items.map((_, index) => items[(index * 7 + by * 3) % items.length] ?? items[0]).filter((item) => item !== undefined)
  const createExperiment = async (name: string) => (await call('POST', 'experiments/create', { body: { name } })).text('experiment_id')

  test('of batches with another value of one param the first stands, and no other leaves a trace', async () => {
    const runId = await start()
    const batch = (index: number) => ({
      run_id: runId,
      params: [{ key: 'p', value: String(index) }],
      metrics: [{ key: `only-${index}`, value: 1, timestamp: 1 }],
      tags: [{ key: `only-${index}`, value: '' }],
    })
    const answers = await times(WRITERS, (index) => call('POST', 'runs/log-batch', { body: batch(index) }))
    const winner = answers.findIndex((answer) => answer.status === 200)
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
    for (const [index, answer] of answers.entries()) {
      const told = `Params were already logged='[{'key': 'p', 'old_value': '${winner}', 'new_value': '${index}'}]' for run ID='${runId}'.`
      if (index !== winner) expect(answer.text('message')).toBe(`Changing param values is not allowed. ${told}`)
    }
    const { json } = await call('GET', `runs/get?run_id=${runId}`)
    expect(json).toMatchObject({ run: { data: { params: [{ key: 'p', value: String(winner) }], metrics: [{ key: `only-${winner}` }] } } })
  })

  test('the same param may be logged by all at once', async () => {
    const runId = await start()
    const answers = await times(WRITERS, () => call('POST', 'runs/log-parameter', { body: { run_id: runId, key: 'p', value: 'same' } }))
    expect(new Set(codesOf(answers))).toEqual(new Set(['200']))
  })

  test('batches over the same keys in other orders never wait for each other in a circle', async () => {
    const runId = await start()
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`)
    const batch = (index: number) => ({
      run_id: runId,
      params: shuffled(keys, index).map((key) => ({ key, value: 'same' })),
      tags: shuffled(keys, index + 1).map((key) => ({ key, value: String(index) })),
      metrics: shuffled(keys, index + 2).flatMap((key) => [0, 1, 2].map((step) => ({ key, value: index, timestamp: 5, step }))),
    })
    const answers = await times(WRITERS * 3, (index) => call('POST', 'runs/log-batch', { body: batch(index % WRITERS) }))
    expect(new Set(codesOf(answers))).toEqual(new Set(['200']))
    const history = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=k7`)
    expect(Reflect.get(Object(history.json), 'metrics')).toHaveLength(WRITERS * 3)
    const { json } = await call('GET', `runs/get?run_id=${runId}`)
    const latest: { value: number; step: number }[] = Reflect.get(Object(json), 'run').data.metrics
    expect(latest.map(({ value, step }) => [value, step])).toEqual(keys.map(() => [WRITERS - 1, 2]))
  })

  test('data sets and models that runs name in other orders never wait for each other in a circle', async () => {
    const experiment = await createExperiment('inputs')
    const runs = await times(4, () => start(experiment))
    const models = await times(8, async () => (await call('POST', 'logged-models', { body: { experiment_id: experiment } })).text('model', 'info', 'model_id'))
    const sets = Array.from({ length: 20 }, (_, index) => ({ dataset: { name: `d${index}`, digest: '1', source_type: 'code', source: '{}' } }))
    const answers = await times(WRITERS * 2, (index) => {
      const body = { run_id: runs[index % 4], datasets: shuffled(sets, index), models: shuffled(models, index).map((model_id) => ({ model_id })) }
      return call('POST', 'runs/log-inputs', { body })
    })
    expect(new Set(codesOf(answers))).toEqual(new Set(['200']))
    const found = await call('POST', 'experiments/search-datasets', { body: { experiment_ids: [experiment] } })
    expect(Reflect.get(Object(found.json), 'dataset_summaries')).toHaveLength(20)
  })

  test('a name that is set as a tag and by an update at once is one of them, and both are the same', async () => {
    const runId = await start()
    const answers = await times(WRITERS, (index) => {
      const name = `name-${index}`
      if (index % 2 === 0) return call('POST', 'runs/update', { body: { run_id: runId, run_name: name } })
      return call('POST', 'runs/set-tag', { body: { run_id: runId, key: 'mlflow.runName', value: name } })
    })
    expect(new Set(codesOf(answers))).toEqual(new Set(['200']))
    const run = await call('GET', `runs/get?run_id=${runId}`)
    const name = run.text('run', 'info', 'run_name')
    expect(run.json).toMatchObject({ run: { data: { tags: [{ key: 'mlflow.runName', value: name }] } } })
  })

  test('an experiment that is deleted while runs and models begin in it has none that is active', async () => {
    for (let round = 0; round < 4; round += 1) {
      const experiment = await createExperiment(`deleted while used ${round}`)
      const creating = times(WRITERS, (index) =>
        index % 2 === 0
          ? call('POST', 'runs/create', { body: { experiment_id: experiment } })
          : call('POST', 'logged-models', { body: { experiment_id: experiment } }),
      )
      const deleted = await call('POST', 'experiments/delete', { body: { experiment_id: experiment } })
      expect(deleted.status).toBe(200)
      for (const answer of await creating) expect(['200', 'INVALID_PARAMETER_VALUE']).toContain(codesOf([answer])[0])
      const active = await call('POST', 'runs/search', { body: { experiment_ids: [experiment], run_view_type: 'ACTIVE_ONLY' } })
      expect(active.json).toEqual({})
    }
  })

  test('of two that delete or restore an experiment one does, and the other is told that it is done', async () => {
    const experiment = await createExperiment('twice')
    for (const step of ['delete', 'restore']) {
      const answers = await times(2, () => call('POST', `experiments/${step}`, { body: { experiment_id: experiment } }))
      expect(new Set(codesOf(answers))).toEqual(new Set(['200', 'RESOURCE_DOES_NOT_EXIST']))
    }
  })

  test('of two experiments that take one name at once, one gets it; a renamed one keeps its runs', async () => {
    const [first, second] = await Promise.all([createExperiment('before-a'), createExperiment('before-b')])
    const runId = await start(first)
    await call('POST', 'runs/log-metric', { body: { run_id: runId, key: 'm', value: 1, timestamp: 1 } })
    const rename = (experiment_id: string | undefined) => call('POST', 'experiments/update', { body: { experiment_id, new_name: 'after' } })
    expect(new Set(codesOf(await Promise.all([rename(first), rename(second)])))).toEqual(new Set(['200', 'RESOURCE_ALREADY_EXISTS']))
    const kept = await call('POST', 'runs/search', { body: { experiment_ids: [first] } })
    expect(kept.json).toMatchObject({ runs: [{ info: { run_id: runId }, data: { metrics: [{ key: 'm', value: 1 }] } }] })
  })

  test('a run that is begun again under one key, since the answer was lost, is begun once', async () => {
    const headers = { 'idempotency-key': 'the-same' }
    const answers = await times(WRITERS, () => call('POST', 'runs/create', { body: { experiment_id: '0' }, headers }))
    expect(new Set(answers.map((answer) => answer.text('run', 'info', 'run_id'))).size).toBe(1)
  })

  test('a batch that is sent again changes nothing', async () => {
    const runId = await start()
    const metrics = [1, 'NaN', 'Infinity'].map((value, step) => ({ key: 'm', value, timestamp: 1, step }))
    const body = { run_id: runId, metrics, params: [{ key: 'p', value: '' }], tags: [{ key: 't', value: 'x' }] }
    const answers = await times(WRITERS, () => call('POST', 'runs/log-batch', { body }))
    expect(new Set(codesOf(answers))).toEqual(new Set(['200']))
    expect(Reflect.get(Object((await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m`)).json), 'metrics')).toHaveLength(3)
  })

  test('a run that ends by several updates at once says so once', async () => {
    const runId = await start()
    await times(WRITERS, () => call('POST', 'runs/update', { body: { run_id: runId, status: 'FINISHED', end_time: 5 } }))
    const finished = await tracking.value.published('run.finished')
    expect(finished.filter((event) => JSON.stringify(event).includes(runId))).toHaveLength(1)
  })
}
