import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { expect, onTestFinished, test } from 'vitest'
import { newUuidV7, systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { migrateService } from '../sql/migrate.ts'
import { freshSchema, postgresUrl } from '../sql/postgres.fixture.ts'
import { openPostgres } from '../sql/postgres.ts'
import type { Database } from '../sql/sql.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { describeWith } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { until } from '../testing/until.ts'
import { decodeRecord } from './cloudevents.ts'
import type { LogRecord } from './event-log.ts'
import { createMemoryLog } from './memory.ts'
import { createPublish } from './outbox.ts'
import { createRelay } from './relay.ts'
import { createRelayLease, type RelayLeaseOptions } from './relay-lease.ts'

const publish = createPublish({ source: '/test', clock: systemClock, newId: newUuidV7 })
const deletion = (model: string, version: number) => ({
  definition: modelVersionDeleted,
  subject: model,
  data: { model, version: String(version), deletedBy: 'ann' },
})

interface Sent {
  readonly by: string
  readonly key: string | null
  readonly id: string
}

/** What every relay of the test sends, in the order of arrival. */
function sharedLog() {
  const sent: Sent[] = []
  const from = (by: string) => ({
    ...createMemoryLog(),
    publish: async (_topic: string, records: readonly LogRecord[]) => {
      for (const record of records) {
        const decoded = decodeRecord(record)
        if (decoded.kind !== 'event') throw new Error('the relay sent what cannot be read')
        sent.push({ by, key: record.key, id: decoded.event.id })
      }
    },
  })
  return { sent, from }
}

async function outbox() {
  const opened = await freshSchema()
  await migrateService(opened.database, null)
  return { ...opened, ...sharedLog() }
}
type Outbox = Awaited<ReturnType<typeof outbox>>

/** A process that has the relay: pool and lease of its own. */
async function startProcess(shared: Outbox, by: string, options: Partial<RelayLeaseOptions> = {}) {
  const metrics = createMetrics(by)
  const address = { url: options.url ?? postgresUrl, schema: shared.schema }
  const database = await openPostgres(address)
  const lease = createRelayLease({ ...address, log: silentLog, metrics, retryMs: 50, ...options })
  const relay = createRelay({ database: database.value, eventLog: shared.from(by), log: silentLog, metrics, clock: systemClock, pollMs: 10, ...lease.value })
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => {
    stopped ??= relay.stop().then(lease.stop).then(database.stop)
    return stopped
  }
  onTestFinished(stop)
  return { lease: lease.value, metrics, stop }
}

const write = async (database: Database, from: number, count: number): Promise<void> => {
  for (let version = from; version < from + count; version += 1) await database.transaction((tx) => publish(tx, deletion(`model-${version % 3}`, version)))
}
const allSent = ({ database }: Outbox) => until(async () => (await database.query('select 1 from outbox where published_at is null limit 1')).length === 0)

/** Ends the connection that holds the lock; answers how many there were. */
async function killHolder({ database, schema }: Outbox): Promise<number> {
  const killed = await database.query(
    `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted and application_name = $1`,
    [`millrace ${schema}`],
  )
  return killed.length
}

/** Every committed event arrived, and those of a key in the order of their commits, once repetitions are left out. */
async function expectNothingLostOrReordered({ database, sent }: Outbox): Promise<void> {
  const committed = await database.query<{ id: string; aggregateid: string }>('select id, aggregateid from outbox order by seq')
  for (const key of new Set(committed.map((row) => row.aggregateid))) {
    const expected = committed.filter((row) => row.aggregateid === key).map((row) => row.id)
    expect([...new Set(sent.filter((item) => item.key === key).map((item) => item.id))]).toEqual(expected)
  }
}

describeWith('postgres', () => {
  test('of two relays one sends; when its connection is killed the other takes over, nothing is lost and no key is reordered', async () => {
    const shared = await outbox()
    const first = await startProcess(shared, 'first', { restMs: 3_600_000 })
    await until(() => first.lease.isActive())
    await startProcess(shared, 'second')
    await write(shared.database, 0, 30)
    await allSent(shared)
    expect(new Set(shared.sent.map((item) => item.by))).toEqual(new Set(['first']))

    const writing = write(shared.database, 30, 200)
    expect(await killHolder(shared)).toBe(1)
    await writing
    await allSent(shared)
    const takeover = shared.sent.findIndex((item) => item.by === 'second')
    expect(takeover).toBeGreaterThan(0)
    expect(shared.sent.slice(takeover).filter((item) => item.by === 'first')).toEqual([])
    await expectNothingLostOrReordered(shared)
  })

  test('a relay that cannot reach the database stops sending, and the other takes over', async () => {
    const shared = await outbox()
    const { hostname, port } = new URL(postgresUrl)
    const gate = await openTcpGate({ host: hostname, port: Number(port) })
    onTestFinished(gate.stop)
    const first = await startProcess(shared, 'first', { url: throughGate(postgresUrl, gate) })
    await until(() => first.lease.isActive())
    const second = await startProcess(shared, 'second')
    await write(shared.database, 0, 10)
    await allSent(shared)
    await gate.shut()
    await until(() => !first.lease.isActive())
    await until(() => second.lease.isActive())
    await write(shared.database, 10, 50)
    await allSent(shared)
    expect(gate.broken).toBeGreaterThan(0)
    expect(new Set(shared.sent.slice(10).map((item) => item.by))).toEqual(new Set(['second']))
    await gate.heal()
    await expectNothingLostOrReordered(shared)
  })

  test('a network that swallows packets ends the lease too', async () => {
    const shared = await outbox()
    const { hostname, port } = new URL(postgresUrl)
    const gate = await openTcpGate({ host: hostname, port: Number(port) })
    onTestFinished(gate.stop)
    const first = await startProcess(shared, 'first', { url: throughGate(postgresUrl, gate), checkMs: 100 })
    await until(() => first.lease.isActive())
    gate.swallow()
    await until(() => !first.lease.isActive())
    await gate.heal()
    await until(() => first.lease.isActive())
  })
})

describeWith('postgres', () => {
  test('a lone relay whose connection is killed has the lease again and sends on', async () => {
    const shared = await outbox()
    const only = await startProcess(shared, 'only', { restMs: 50 })
    await until(() => only.lease.isActive())
    expect(await only.metrics.expose()).toMatch(/outbox_relay_active\{.*\} 1/)
    expect(await killHolder(shared)).toBe(1)
    await write(shared.database, 0, 20)
    await allSent(shared)
    await expectNothingLostOrReordered(shared)
  })

  test('a relay that stops hands on at once, and one that waits can stop', async () => {
    const shared = await outbox()
    const first = await startProcess(shared, 'first')
    await until(() => first.lease.isActive())
    const [second, third] = [await startProcess(shared, 'second'), await startProcess(shared, 'third')]
    await third.stop()
    expect(second.lease.isActive()).toBe(false)
    await first.stop()
    await until(() => second.lease.isActive())
  })

  test('relays of different schemas do not keep each other waiting', async () => {
    const [one, two] = [await startProcess(await outbox(), 'one'), await startProcess(await outbox(), 'two')]
    await until(() => one.lease.isActive() && two.lease.isActive())
  })
})
