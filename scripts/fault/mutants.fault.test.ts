import { setTimeout as pause } from 'node:timers/promises'
import { servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { runStarted } from '@millrace/contracts/events/run-events.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { createRelay } from '@millrace/platform/events/relay.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { openPostgres } from '@millrace/platform/sql/postgres.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { checkAll } from './check/check-all.ts'
import { checkDelivery } from './check/check-events.ts'
import { type Activation, noEvidence, type OutboxRow, type TopicRecord } from './check/evidence.ts'
import { createFencedReducer, type Reducer, stateOf } from './harness/fenced-reducer.ts'
import { requireSetting, startInfrastructure } from './harness/infrastructure.ts'
import { CursorRelay } from './mutants/cursor-relay.ts'
import { UnfencedReducer } from './mutants/unfenced-reducer.ts'

const WRITERS = 16
const EACH = 60

/** Sixteen writers at once; one transaction in twenty rests a few milliseconds before it commits. */
async function writeConcurrently(database: Database): Promise<void> {
  const publish = createPublish({ source: '/millrace/tracking', clock: systemClock, newId: newUuidV7 })
  const data = { experimentId: '0', runName: 'n', user: 'ana', startTime: new Date(0).toISOString(), tags: {} }
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let index = 0; index < EACH; index++) {
        const runId = `run-${writer}-${index}`
        await database.transaction(async (tx) => {
          await publish(tx, { definition: runStarted, subject: runId, data: { ...data, runId } })
          if ((writer + index) % 20 === 0) await tx.query('select pg_sleep(0.01)')
        })
      }
    }),
  )
}

const recordOf = (row: OutboxRow, offset: number): TopicRecord => ({
  ...{ topic: row.topic, partition: 0, offset, key: row.key, id: row.id, source: '/millrace/tracking', type: row.type },
  ...{ sequence: row.seq, timeMs: 0, data: row.payload },
})

test('the checker finds the rows that a relay with a cursor loses, and nothing wrong with the relay that marks them', async () => {
  const { env } = await startInfrastructure()
  const schema = `mutant_${newUuidV7().slice(-8)}`
  const { value: database, stop } = await openPostgres({ url: requireSetting(env, 'DATABASE_URL'), schema, maxConnections: WRITERS + 4 })
  onTestFinished(stop)
  await migrateService(database, null)
  const eventLog = createMemoryLog()
  const relay = createRelay({ database, eventLog, log: silentLog, metrics: createMetrics('fault'), clock: systemClock, pollMs: 1 })
  const mutant = new CursorRelay(database)
  let writing = true
  const mutantRuns = (async () => {
    while ((await mutant.pass()) || writing) await pause(0)
  })()
  await writeConcurrently(database)
  writing = false
  await mutantRuns
  await until(async () => (await database.query('select 1 from outbox where published_at is null limit 1')).length === 0)
  await relay.stop()

  const rows = await database.query<Omit<OutboxRow, 'service'>>('select seq, id::text as id, type, topic, aggregateid as key, payload from outbox order by seq')
  const outbox = rows.map((row) => ({ ...row, service: 'tracking' }))
  const byId = new Map(outbox.map((row) => [row.id, row]))
  const dumpOf = (ids: readonly string[]): TopicRecord[] => ids.flatMap((id) => byId.get(id) ?? []).map(recordOf)
  const delivered = (await eventLog.readToEnd(runStarted.topic)).map(({ headers }) => headers['ce_id'] ?? '')
  expect(outbox).toHaveLength(WRITERS * EACH)
  expect(checkDelivery({ ...noEvidence, outbox, topics: dumpOf(delivered) })).toEqual([])
  const lost = checkDelivery({ ...noEvidence, outbox, topics: dumpOf(mutant.sent) })
  expect(lost.length).toBeGreaterThan(0)
  expect(lost[0]).toMatchObject({ invariant: 'I4', message: expect.stringContaining('the log never got it') })
})

/** Every generation three times, in an order in which old ones come after new ones. */
const disorder = [1, 2, 2, 4, 3, 1, 5, 4, 5, 3, 2]

async function feed(reducer: Reducer): Promise<void> {
  for (const generation of disorder) {
    reducer.apply(stateOf(generation))
    await reducer.settled()
  }
}

const evidenceOf = (activations: readonly Activation[]) => ({
  ...noEvidence,
  outbox: [1, 2, 3, 4, 5].map((generation) => ({
    ...{ service: 'registry', seq: generation, id: String(generation), type: servingStateChanged.type, topic: servingStateChanged.topic, key: 'scale' },
    payload: stateOf(generation),
  })),
  topics: [1, 2, 3, 4, 5].map((generation) => ({
    ...{ topic: servingStateChanged.topic, partition: 0, offset: generation, key: 'scale', id: String(generation), source: '/millrace/registry' },
    ...{ type: servingStateChanged.type, sequence: generation, timeMs: 0, data: stateOf(generation) },
  })),
  registry: [{ model: 'scale', generation: 5, version: '5' }],
  activations,
  served: activations.slice(-1),
})

test('the checker finds a pod whose generation fence was removed, and nothing wrong with one that has it', async () => {
  const fenced = createFencedReducer()
  await feed(fenced)
  expect(fenced.activations.map(({ generation }) => generation)).toEqual([1, 2, 4, 5])
  expect(checkAll(evidenceOf(fenced.activations))).toEqual([])

  const activations: Activation[] = []
  const unfenced = new UnfencedReducer(({ model, generation }) => {
    activations.push({ pod: 'pod-1', incarnation: 'a', model, version: String(generation), generation, digest: '', atMs: generation })
  })
  await feed({ apply: (state) => unfenced.apply(state), settled: async () => undefined })
  const found = checkAll(evidenceOf(activations)).map(({ invariant }) => invariant)
  expect(found).toContain('I5')
  expect(found).toContain('I6')
})
