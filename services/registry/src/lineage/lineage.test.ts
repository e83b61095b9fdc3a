import type { DataOf } from '@millrace/contracts/events/event.ts'
import { modelVersionEvaluated, promotionRejected, rolloutStepped } from '@millrace/contracts/events/promotion-events.ts'
import { servingActivated, servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { type Lineage, lineage } from '@millrace/contracts/http/registry.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { exampleRun } from '../domain/example-run.ts'
import { type RunningRegistry, registered, runningRegistry, servableFiles, transition } from '../testing/running-registry.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
const gate = { gate: 'metric', outcome: 'pass', message: 'val_accuracy 0.93 >= 0.9', measured: 0.93, limit: 0.9, evidence: { rows: [1, 2, 3] } }
const decision = { decisionId: 'd-1', model: 'fish', version: '1', championVersion: null, policyVersion: 2, generation: 0, gates: [gate] }
const digest = 'a'.repeat(64)
const served = { pod: 'pod-a', incarnation: 'i-1', model: 'fish', version: '1', generation: 1, digest, arm: 'production' }

const lineageOf = async (registry: RunningRegistry, version = 1, model = 'fish'): Promise<Lineage> =>
  lineage.parse((await registry.send('GET', `/api/v1/models/${model}/versions/${version}/lineage`)).body)

const activate = (registry: RunningRegistry, second: number, rest: Partial<DataOf<typeof servingActivated>> = {}) =>
  registry.emitEvent(servingActivated, 'fish', { ...served, loadMs: 1, warmUpMs: 1, sinceChangedMs: 1, ...rest }, at(second))

/** Resolves when the lineage holds what is expected: events arrive in their own time. */
const untilLineage = async (registry: RunningRegistry, expected: object, version = 1, model = 'fish'): Promise<Lineage> => {
  let found: Lineage | null = null
  await until(async () => {
    found = await lineageOf(registry, version, model)
    expect(found).toMatchObject(expected)
    return true
  })
  return found ?? lineageOf(registry, version, model)
}

test('one endpoint leads from the data over run, gates and decision to the pods that served, as facts and as a graph', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put('models:/m-1', servableFiles())
  const source = JSON.stringify({ path: 'data/fish', md5: 'ec1d2935f811b77cc49b031b999cbf17.dir' })
  const tags = { 'mlflow.source.git.commit': 'c0ffee', 'mlflow.source.name': 'train.py', 'mlflow.runName': 'bold-perch', python_version: '3.12' }
  await registry.send('PUT', '/api/v1/registration-policies/all', { body: { model: 'fish' } })
  const datasets = [{ name: 'fish', digest: '1a2b', context: 'training', sourceType: 'dvc', source }]
  await registry.emit(exampleRun({ runId: 'r1', tags, datasets, outputs: [{ modelId: 'm-1', step: 0 }] }))
  await until(async () => (await registry.send('GET', '/api/v1/models/fish/versions/1')).body['status'] === 'READY')

  await registry.emitEvent(modelVersionEvaluated, 'fish', { ...decision, outcome: 'passed', approval: 'manual' }, at(1))
  await transition(registry, 1, 'Production', {}, { decision_id: 'd-1', reason: 'looks good' })
  await registry.emitEvent(
    rolloutStepped,
    'fish',
    { decisionId: 'd-1', model: 'fish', version: '1', step: 'serving', generation: 1, message: 'one pod' },
    at(2),
  )
  await registry.emitEvent(servingLoadFailed, 'fish', { ...served, pod: 'pod-b', kind: 'transient', stage: 'fetch', message: 'store away' }, at(3))
  await activate(registry, 4)

  const found = await untilLineage(registry, { serving: { pods: [{ pod: 'pod-a' }], loadFailures: [{ pod: 'pod-b' }] }, evaluations: [{}] })
  expect(found).toMatchObject({
    datasets: [{ name: 'fish', sourceType: 'dvc', dvc: { path: 'data/fish', md5: 'ec1d2935f811b77cc49b031b999cbf17.dir' } }],
    run: { runId: 'r1', params: { lr: '0.1' } },
    ...{ code: { commit: 'c0ffee', entryPoint: 'train.py' }, environment: { python_version: '3.12' }, loggedModelId: 'm-1' },
    evaluations: [{ decisionId: 'd-1', outcome: 'passed', gates: [{ gate: 'metric', measured: 0.93, limit: 0.9 }] }],
    decisions: expect.arrayContaining([
      expect.objectContaining({ kind: 'promoted', decisionId: 'd-1', by: 'ana', reason: 'looks good' }),
      expect.objectContaining({ kind: 'rollout', decisionId: 'd-1', reason: 'serving: one pod' }),
    ]),
    serving: { production: [{ until: null }], pods: [{ pod: 'pod-a', arm: 'production', until: null }], loadFailures: [{ stage: 'fetch' }] },
  })
  const kinds = new Set(found.graph?.nodes.map(({ kind }) => kind))
  expect(kinds).toEqual(
    new Set(['dataset', 'code', 'environment', 'run', 'logged-model', 'model-version', 'evaluation', 'decision', 'serving', 'pod', 'load-failure']),
  )
})

test('a pod that answers with the next version, or that was restarted, no longer answers with the one before', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await activate(registry, 1)
  await activate(registry, 1)
  await activate(registry, 2, { pod: 'pod-b' })
  await activate(registry, 5, { version: '2', generation: 2 })
  await activate(registry, 7, { pod: 'pod-b', incarnation: 'i-2' })
  await untilLineage(registry, { serving: { pods: [{}, {}, { since: at(7).toISOString() }] } })
  expect((await lineageOf(registry)).serving?.pods).toMatchObject([
    { pod: 'pod-a', since: at(1).toISOString(), until: at(5).toISOString() },
    { pod: 'pod-b', since: at(2).toISOString(), until: at(7).toISOString() },
    { pod: 'pod-b', since: at(7).toISOString(), until: null },
  ])
  expect((await lineageOf(registry, 2)).serving?.pods).toMatchObject([{ pod: 'pod-a', since: at(5).toISOString(), until: null }])
})

test('times in Production begin and end with the moves, and a rollback is told of both versions', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  await transition(registry, 2, 'Production')
  await registry.send('POST', '/api/v1/models/fish/rollback', { body: { reason: 'worse' } })
  expect(await lineageOf(registry)).toMatchObject({
    serving: { production: [{ until: expect.any(String) }, { until: null }] },
    decisions: [{ kind: 'promoted' }, { kind: 'demoted' }, { kind: 'rolled-back-to', reason: 'worse' }],
  })
  expect(await lineageOf(registry, 2)).toMatchObject({
    serving: { production: [{ until: expect.any(String) }] },
    decisions: [{ kind: 'promoted' }, { kind: 'rolled-back-from', reason: 'worse' }],
  })
})

test('a refusal is part of the lineage, with the gates that failed', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  await registry.emitEvent(promotionRejected, 'fish', { ...decision, reason: 'gate metric failed', rejectedBy: 'promoter' }, at(1))
  await untilLineage(registry, { decisions: [{ kind: 'rejected', decisionId: 'd-1', by: 'promoter', reason: 'gate metric failed', skippedGates: [] }] })
})

test('what is kept of a version is bounded, and the newest stays', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  for (let second = 0; second < 55; second++) {
    const message = `${'x'.repeat(3000)}`
    await registry.emitEvent(servingLoadFailed, 'fish', { ...served, kind: 'transient', stage: 'fetch', message, pod: `pod-${second}` }, at(second))
  }
  const found = await untilLineage(registry, { serving: { loadFailures: expect.arrayContaining([expect.objectContaining({ pod: 'pod-54' })]) } })
  expect(found.serving?.loadFailures).toHaveLength(50)
  expect(found.serving?.loadFailures[0]).toMatchObject({ pod: 'pod-5' })
  expect(found.serving?.loadFailures[0]?.message.length).toBeLessThan(2100)
})

test('lineage follows a renaming, and what is said of a version that is not there is passed over', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  await activate(registry, 1, { model: 'nobody' })
  await activate(registry, 1, { version: 'x' })
  await activate(registry, 1)
  await untilLineage(registry, { serving: { pods: [{ pod: 'pod-a' }] } })
  await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' })
  expect(await lineageOf(registry, 1, 'trout')).toMatchObject({ serving: { pods: [{ pod: 'pod-a' }] } })
  expect(await registry.send('GET', '/api/v1/models/fish/versions/1/lineage')).toMatchObject({ status: 404 })
})

test('every edge of a graph joins two of its nodes', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  await activate(registry, 4)
  const { graph } = await untilLineage(registry, { serving: { pods: [{}] } })
  const ids = (graph?.nodes ?? []).map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect((graph?.edges ?? []).filter(({ from, to }) => !ids.includes(from) || !ids.includes(to))).toEqual([])
  expect(graph?.edges.length).toBeGreaterThan(2)
})
