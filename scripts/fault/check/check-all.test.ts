import { modelVersionRegistered, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { runFinished } from '@millrace/contracts/events/run-events.ts'
import { expect, test } from 'vitest'
import { checkAll } from './check-all.ts'
import { type Activation, type Evidence, noEvidence, type OutboxRow, type PredictionRecord, type TopicRecord } from './evidence.ts'

const state = (seq: number, generation: number, version: string): OutboxRow => ({
  ...{ service: 'registry', seq, id: `state-${seq}`, type: servingStateChanged.type, topic: servingStateChanged.topic, key: 'fish' },
  payload: { model: 'fish', generation, production: { version } },
})
const onLog = (row: OutboxRow, offset: number): TopicRecord => ({
  ...{ topic: row.topic, partition: 0, offset, key: row.key, id: row.id, source: `/millrace/${row.service}` },
  ...{ type: row.type, sequence: row.seq, timeMs: 0, data: row.payload },
})
const registered: OutboxRow = {
  ...{ service: 'registry', seq: 1, id: 'registered', type: modelVersionRegistered.type, topic: modelVersionRegistered.topic, key: 'fish' },
  payload: { model: 'fish', version: '1' },
}
const finished: OutboxRow = {
  ...{ service: 'tracking', seq: 1, id: 'finished', type: runFinished.type, topic: runFinished.topic, key: 'run1' },
  payload: { runId: 'run1' },
}
const activation = (generation: number, atMs: number): Activation => ({
  ...{ pod: 'pod-1', incarnation: 'a', model: 'fish', version: String(generation), generation, digest: `d${generation}`, atMs },
})
const prediction: PredictionRecord = {
  ...{ kind: 'prediction', model: 'fish', pod: 'pod-1', status: 200, version: '1', generation: 1 },
  ...{ input: [2], output: [4], beganMs: 150, endedMs: 160 },
}
const rows = [registered, state(2, 1, '1'), state(3, 2, '2'), finished]
const factor = (version: string, by: number) => ({ model: 'fish', version, digest: `d${version}`, answer: ([x = 0]: readonly number[]) => [x * by] })

/** A history in which nothing went wrong; one record was sent twice. */
const healthy: Evidence = {
  ...noEvidence,
  client: [
    { kind: 'write', key: 'run/run1', outcome: 'acked', atMs: 1 },
    { kind: 'write', key: 'run/run2', outcome: 'unknown', atMs: 2 },
    { kind: 'write', key: 'finish/run1', outcome: 'acked', atMs: 3 },
    prediction,
    { ...prediction, version: '2', generation: 2, output: [6], beganMs: 190, endedMs: 210 },
  ],
  stored: new Set(['run/run1', 'finish/run1']),
  outbox: rows,
  topics: [...rows, finished].map(onLog),
  productionCounts: [{ model: 'fish', count: 1 }],
  registry: [{ model: 'fish', generation: 2, version: '2' }],
  decisions: [{ decisionId: 'd1', model: 'fish', version: '1', policyVersion: 0 }],
  promotions: [{ decisionId: 'd1', model: 'fish', version: '1' }],
  activations: [activation(1, 100), activation(2, 200)],
  served: [{ pod: 'pod-1', model: 'fish', version: '2', generation: 2 }],
  versions: [factor('1', 2), factor('2', 3)],
  memory: [{ pod: 'pod-1', beforeBytes: 100, afterBytes: 105 }],
  poison: ['bad'],
  deadLetters: ['bad', 'bad'],
}

test('a history in which nothing went wrong violates nothing', () => {
  expect(checkAll(healthy)).toEqual([])
})

const harmed: [string, string, Partial<Evidence>][] = [
  ['I1', 'two versions in Production', { productionCounts: [{ model: 'fish', count: 2 }] }],
  ['I1', 'a generation was left out', { outbox: [...rows.slice(0, 2), state(3, 3, '2'), finished] }],
  ['I1', 'the registry forgot a generation', { registry: [{ model: 'fish', generation: 1, version: '2' }] }],
  ['I2', 'an acknowledged run is lost', { stored: new Set(['finish/run1']) }],
  ['I3', 'a run finished twice', { topics: [...healthy.topics, { ...onLog(finished, 9), id: 'again', sequence: 9 }] }],
  ['I3', 'a version was never decided on', { decisions: [{ decisionId: 'd1', model: 'carp', version: '1', policyVersion: 0 }] }],
  ['I3', 'a version was decided on twice', { decisions: [...healthy.decisions, { decisionId: 'd2', model: 'fish', version: '1', policyVersion: 0 }] }],
  ['I3', 'a decision was carried out twice', { promotions: [...healthy.promotions, ...healthy.promotions] }],
  ['I4', 'a committed event never reached the log', { topics: healthy.topics.filter(({ id }) => id !== 'state-3') }],
  ['I4', 'an event on the log was never committed', { outbox: healthy.outbox.filter(({ id }) => id !== 'finished') }],
  ['I5', 'events stand in the wrong order', { topics: [registered, state(3, 2, '2'), state(2, 1, '1'), finished].map(onLog) }],
  ['I5', 'a pod went back', { activations: [activation(2, 100), activation(1, 120), activation(2, 140)] }],
  ['I6', 'a pod stayed behind', { served: [{ pod: 'pod-1', model: 'fish', version: '1', generation: 1 }] }],
  ['I6', 'a pod serves nothing', { served: [{ pod: 'pod-1', model: 'carp', version: '1', generation: 1 }] }],
  ['I7', 'a prediction failed', { client: [...healthy.client, { ...prediction, status: 503 }] }],
  ['I7', 'an answer of another version', { client: [...healthy.client, { ...prediction, output: [6] }] }],
  ['I7', 'a version under a generation that was not its own', { client: [...healthy.client, { ...prediction, generation: 2, beganMs: 199, endedMs: 201 }] }],
  ['I8', 'an answer of a version not yet served', { client: [...healthy.client, { ...prediction, version: '2', generation: 2, output: [6] }] }],
  ['I8', 'an answer of a version no longer served', { client: [...healthy.client, { ...prediction, beganMs: 300, endedMs: 310 }] }],
  ['I8', 'old models were not freed', { memory: [{ pod: 'pod-1', beforeBytes: 100, afterBytes: 120 }] }],
  ['I9', 'a bad record disappeared', { deadLetters: [] }],
  ['I9', 'a good record was put aside', { deadLetters: ['bad', 'good'] }],
]

test.each(harmed)('%s: %s', (invariant, _, harm) => {
  const found = checkAll({ ...healthy, ...harm })
  expect(found.map((violation) => violation.invariant)).toContain(invariant)
})
