import { openLineageRun } from '@millrace/contracts/events/openlineage-events.ts'
import { type RunStarted, runStarted } from '@millrace/contracts/events/run-events.ts'
import { problemsOfRunEvent } from '@millrace/contracts/openlineage/check-run-event.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { exampleRun } from '../domain/example-run.ts'
import { type RunningRegistry, registered, runningRegistry, servableFiles } from '../testing/running-registry.ts'
import { runUuid } from './run-uuid.ts'

const runId = '0198f0aa3c1e4b1a8f6b0d1e2f3a4b5c'
const uuid = '0198f0aa-3c1e-4b1a-8f6b-0d1e2f3a4b5c'
const begun: RunStarted = { runId, experimentId: '1', runName: 'bold-perch', user: 'ana', startTime: '2026-01-01T00:00:00.000Z', tags: {} }
const finished = exampleRun({ runId, artifactUri: `mlflow-artifacts:/1/${runId}/artifacts` })

const topic = openLineageRun.topic

/** What was published, oldest first, once there are so many; each is a RunEvent by OpenLineage's own rules. */
async function published(registry: RunningRegistry, count: number): Promise<Record<string, unknown>[]> {
  await until(async () => (await registry.published(topic)).length >= count)
  await registry.settled()
  const events = await registry.published(topic)
  expect(events).toHaveLength(count)
  for (const { data } of events) expect(problemsOfRunEvent(data)).toEqual([])
  return events.map(({ data, subject }) => ({ ...data, subject }))
}

test('a run begins and ends as OpenLineage tells it, with what it read and the version it became', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put(`runs:/${runId}/model`, servableFiles())
  await registry.emitEvent(runStarted, runId, begun)
  const source = JSON.stringify({ uri: 's3://data/churn/train.csv' })
  const tags = {
    ...{ 'millrace.register': 'fish', 'dvc.md5': 'ec1d2935f811b77cc49b031b999cbf17', framework: 'tfjs' },
    ...{ 'mlflow.source.git.commit': 'c0ffee', 'mlflow.source.git.repoURL': 'git@git.example.test:fish/classifier.git' },
  }
  const datasets = [{ name: 'churn', digest: '1a2b', context: 'training', sourceType: 's3', source, rows: 150 }]
  await registry.emit({ ...finished, tags, datasets, outputs: [{ modelId: 'm-1', step: 0 }] })
  const [start, complete, registration] = await published(registry, 3)
  expect(start).toMatchObject({
    eventType: 'START',
    eventTime: begun.startTime,
    run: { runId: uuid },
    job: { namespace: 'millrace', name: 'experiment-1.train' },
  })
  expect(complete).toMatchObject({
    ...{ eventType: 'COMPLETE', subject: 'run:millrace/experiment-1.train', schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent' },
    run: {
      runId: uuid,
      facets: {
        nominalTime: { nominalStartTime: '2026-01-01T00:00:00.000Z', nominalEndTime: '2026-01-01T00:01:00.000Z' },
        executionParameters: { parameters: [{ key: 'lr', value: '0.1' }] },
        processing_engine: { name: 'tfjs' },
        millrace_run: { runId, status: 'FINISHED', metrics: { val_accuracy: 0.93 } },
      },
    },
    job: { facets: { jobType: { jobType: 'TRAINING' }, sourceCodeLocation: { url: 'ssh://git.example.test/fish/classifier.git', version: 'c0ffee' } } },
    inputs: [
      {
        namespace: 's3://data',
        name: 'churn/train.csv',
        facets: { version: { datasetVersion: 'md5:ec1d2935f811b77cc49b031b999cbf17' } },
        inputFacets: { dataQualityMetrics: { rowCount: 150 } },
      },
    ],
    outputs: [
      { namespace: 'models:', name: 'fish/1', facets: { version: { datasetVersion: '1' } } },
      { namespace: 'models:', name: 'm-1' },
    ],
  })
  expect(registration).toMatchObject({
    ...{ eventType: 'COMPLETE', job: { name: 'register.fish' }, subject: 'run:millrace/experiment-1.train' },
    run: { facets: { parent: { run: { runId: uuid }, job: { name: 'experiment-1.train' } } } },
    inputs: [{ namespace: 'runs:', name: `${runId}/model` }],
    outputs: [{ name: 'fish/1', outputFacets: { outputStatistics: { size: expect.any(Number) } } }],
  })
})

test.each([
  ['FAILED', 'FAIL'],
  ['KILLED', 'ABORT'],
])('a run that ends %s is told as %s, with why', async (status, eventType) => {
  const registry = await runningRegistry()
  await registry.emitEvent(runStarted, runId, begun)
  await registry.emit({ ...finished, status })
  const [, end] = await published(registry, 2)
  expect(end).toMatchObject({ eventType, run: { facets: { errorMessage: { message: `The run ended ${status}` } } }, outputs: [] })
})

test('a run that was resumed ends as another run, which begins too; a beginning is told once and never after the end', async () => {
  const registry = await runningRegistry()
  await registry.emit(finished)
  await registry.emitEvent(runStarted, runId, begun)
  await registry.emit(finished)
  const events = await published(registry, 4)
  const ids = events.map((event) => [event['eventType'], Object(event['run']).runId])
  expect(ids).toEqual([
    ['START', uuid],
    ['COMPLETE', uuid],
    ['START', runUuid(runId, 1)],
    ['COMPLETE', runUuid(runId, 1)],
  ])
})

test('a part of a run names the run that it is a part of', async () => {
  const registry = await runningRegistry()
  const parent = 'f'.repeat(12) + '4'.repeat(20)
  await registry.emitEvent(runStarted, runId, { ...begun, tags: { 'mlflow.parentRunId': parent } })
  const [start] = await published(registry, 1)
  const facet = { run: { runId: runUuid(parent, 0) }, job: { namespace: 'millrace', name: 'experiment-1.train' } }
  expect(start).toMatchObject({ run: { facets: { parent: { ...facet, root: facet } } } })
})

test('a version that is registered by hand is told of with its files', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const [event] = await published(registry, 1)
  expect(event).toMatchObject({ job: { name: 'register.fish' }, inputs: [{ namespace: 'runs:', name: 'fish-run-1/model' }], outputs: [{ name: 'fish/1' }] })
})

test('whatever a run holds, it is told in less than a record may hold, without secrets of addresses', async () => {
  const registry = await runningRegistry()
  const many = <Value>(count: number, value: Value) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`.padEnd(200, 'x'), value]))
  const datasets = Array.from({ length: 150 }, (_, index) => ({ name: `d${index}`, digest: 'x', context: null, source: '{"uri":"https://u:secret@h.test/p"}' }))
  const tags = { 'mlflow.source.git.repoURL': 'https://u:secret@git.test/r.git', 'mlflow.source.git.commit': 'c' }
  await registry.emit({ ...finished, runId: 'odd id', params: many(300, 'v'.repeat(1000)), metrics: many(500, 1), datasets, tags })
  const [, complete] = await published(registry, 2)
  const text = JSON.stringify(complete)
  expect(text.length).toBeLessThan(500_000)
  expect(text).not.toContain('secret')
})

test('a lineage event that is too large is left out, and the run registers all the same', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put(`runs:/${runId}/model`, servableFiles())
  const params = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}${'字'.repeat(490)}`, '字'.repeat(500)]))
  const datasets = Array.from({ length: 100 }, (_, index) => ({ name: `${index}${'字'.repeat(400)}`, digest: 'x', context: null }))
  await registry.emit({ ...finished, tags: { 'millrace.register': 'fish' }, params, datasets })
  await until(async () => (await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: '1' })).status === 200)
  await registry.settled()
  const jobs = (await registry.published(topic)).map(({ data }) => Object(data['job']).name)
  expect(jobs.filter((name) => name !== 'register.fish')).toEqual([])
})

test('a uuid of a run is its own where it has one, and another at each end', () => {
  expect(runUuid(runId, 0)).toBe(uuid)
  expect(runUuid('odd', 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set([runUuid(runId, 0), runUuid(runId, 1), runUuid(runId, 2), runUuid('odd', 0), runUuid('odd', 1)]).size).toBe(5)
})
