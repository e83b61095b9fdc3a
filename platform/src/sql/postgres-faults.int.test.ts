import { expect, onTestFinished, test } from 'vitest'
import { AppError, TransientError } from '../errors.ts'
import { type Log, silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { describeWith } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { until } from '../testing/until.ts'
import { backendOf, freshSchema, postgresUrl } from './postgres.fixture.ts'
import { openPostgres, type PostgresOptions } from './postgres.ts'
import { describeAddress } from './postgres-connection.ts'
import type { Database } from './sql.ts'

/** A schema behind a gate, and the same schema past it. */
async function gated(options: Partial<PostgresOptions> = {}) {
  const direct = await freshSchema()
  const { hostname, port } = new URL(postgresUrl)
  const gate = await openTcpGate({ host: hostname, port: Number(port) })
  const opened = await openPostgres({ url: throughGate(postgresUrl, gate), schema: direct.schema, ...options })
  onTestFinished(async () => {
    await gate.heal()
    await opened.stop()
    await gate.stop()
  })
  return { gate, database: opened.value, direct: direct.database }
}

const outcome = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'resolved').catch((error: unknown) => error)
const terminate = (sql: Database, pid: number) => sql.query('select pg_terminate_backend($1)', [pid])

describeWith('postgres', () => {
  test('two transactions that wait for each other: one rejects as transient, the other commits', async () => {
    const { database } = await freshSchema()
    await database.query('create table thing (id int primary key, n int); insert into thing values (1, 0), (2, 0)')
    const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const cross = (mine: 0 | 1, other: 0 | 1) =>
      database.transaction(async (tx) => {
        await tx.query('update thing set n = n + 1 where id = $1', [mine + 1])
        locked[mine].resolve()
        await locked[other].promise
        await tx.query('update thing set n = n + 1 where id = $1', [other + 1])
      })
    const results = await Promise.allSettled([cross(0, 1), cross(1, 0)])
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(results.find((result) => result.status === 'rejected')?.reason).toBeInstanceOf(TransientError)
    expect(await database.query('select n from thing')).toEqual([{ n: 1 }, { n: 1 }])
  })

  test('a serialization failure is transient', async () => {
    const { database } = await freshSchema()
    await database.query('create table thing (n int); insert into thing values (0)')
    const [read, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const work = outcome(
      database.transaction(async (tx) => {
        await tx.query('set transaction isolation level repeatable read')
        await tx.query('select n from thing')
        read.resolve()
        await changed.promise
        await tx.query('update thing set n = n + 1')
      }),
    )
    await read.promise
    await database.query('update thing set n = 5')
    changed.resolve()
    expect(await work).toBeInstanceOf(TransientError)
  })

  test('a connection that the server ends in the middle of a statement rejects that call alone', async () => {
    const { database } = await freshSchema({ maxConnections: 2 })
    const sleeping = outcome(database.query('select pg_sleep(60)'))
    const pid = await until(async () => (await database.query<{ pid: number }>("select pid from pg_stat_activity where query = 'select pg_sleep(60)'"))[0]?.pid)
    await terminate(database, pid)
    expect(await sleeping).toBeInstanceOf(TransientError)
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  })
})

describeWith('postgres', () => {
  test('a connection that is lost between two statements of a transaction takes the transaction with it, and not the process', async () => {
    const { database } = await freshSchema({ maxConnections: 2 })
    await database.query('create table thing (id int)')
    const [begun, killed] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()]
    const work = outcome(
      database.transaction(async (tx) => {
        await tx.query('insert into thing values (1)')
        begun.resolve(await backendOf(tx))
        await killed.promise
        await tx.query('insert into thing values (2)')
      }),
    )
    const pid = await begun.promise
    await terminate(database, pid)
    await until(async () => (await database.query('select 1 from pg_stat_activity where pid = $1', [pid])).length === 0)
    killed.resolve()
    expect(await work).toBeInstanceOf(TransientError)
    expect(await database.query('select id from thing')).toEqual([])
  })

  test('idle connections that break are counted and replaced', async () => {
    const metrics = createMetrics('test')
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) }
    const { database, direct, gate } = await gated({ metrics, log })
    await Promise.all([database.query('select pg_sleep(0.05)'), database.query('select pg_sleep(0.05)')])
    await gate.shut()
    await until(() => warnings.length === 2)
    expect(await metrics.expose()).toMatch(/database_connections_lost_total\{.*\} 2/)
    expect(await outcome(database.query('select 1'))).toBeInstanceOf(TransientError)
    expect(await direct.query('select 1 as one')).toEqual([{ one: 1 }])
    await gate.heal()
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('a server that comes back is used again, and what had committed is there', async () => {
    const { database, gate } = await gated()
    await database.query('create table thing (id int)')
    await database.transaction((tx) => tx.query('insert into thing values (1)'))
    await gate.shut()
    expect(await outcome(database.transaction((tx) => tx.query('insert into thing values (2)')))).toBeInstanceOf(TransientError)
    await gate.heal()
    expect(await database.query('select id from thing')).toEqual([{ id: 1 }])
    expect(gate.broken).toBeGreaterThan(0)
  })

  test('a network that swallows packets: the call gives up, and its connection is not used again', async () => {
    const { database, gate } = await gated({ statementTimeoutMs: 200, answerGraceMs: 200, connectTimeoutMs: 500 })
    await database.query('select 1')
    gate.swallow()
    expect(await outcome(database.query('select 1'))).toBeInstanceOf(TransientError)
    expect(await outcome(database.query('select 1'))).toBeInstanceOf(TransientError)
    await gate.heal()
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  })
})

describeWith('postgres', () => {
  test('a statement that takes too long is cancelled by the server, as transient', async () => {
    const { database } = await freshSchema({ statementTimeoutMs: 100, maxConnections: 1 })
    const pid = await backendOf(database)
    expect(await outcome(database.query('select pg_sleep(60)'))).toMatchObject({
      name: 'TransientError',
      message: expect.stringContaining('statement timeout'),
    })
    expect(await backendOf(database)).toBe(pid)
  })

  test('when every connection is taken a call waits its time and then rejects as transient', async () => {
    const { database } = await freshSchema({ maxConnections: 1, connectTimeoutMs: 100 })
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const holder = database.transaction(async (tx) => {
      await tx.query('select 1')
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    expect(await outcome(database.query('select 1'))).toBeInstanceOf(TransientError)
    gate.resolve()
    await holder
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('stopping lets statements in progress end and refuses new ones', async () => {
    const { database, stop } = await freshSchema()
    const last = outcome(database.query('select pg_sleep(0.2)'))
    await until(() => true)
    await stop()
    expect(await last).toBe('resolved')
    expect(await outcome(database.query('select 1'))).toMatchObject({ name: 'TransientError', message: 'the database is closed' })
    expect(await outcome(database.transaction((tx) => tx.query('select 1')))).toMatchObject({ message: 'the database is closed' })
  })

  test.each([
    ['an address of something else', 'mysql://x', 'INVALID_PARAMETER_VALUE', 'postgres://'],
    ['no address', 'nonsense', 'INVALID_PARAMETER_VALUE', 'postgres://'],
  ])('%s is refused', async (_what, address, code, words) => {
    expect(await outcome(openPostgres({ url: address, schema: 'x' }))).toMatchObject({ code, message: expect.stringContaining(words) })
  })

  test('a wrong password and an unknown database are refused without showing the password', async () => {
    const [password, database] = [new URL(postgresUrl), new URL(postgresUrl)]
    password.password = 'wr0ng'
    database.pathname = '/no_such_database'
    for (const address of [password, database]) {
      const failure = await outcome(openPostgres({ url: address.href, schema: 'x' }))
      expect(failure).toBeInstanceOf(AppError)
      expect(failure).toMatchObject({ code: 'PERMISSION_DENIED', message: expect.stringContaining(describeAddress(address.href)) })
      expect(failure).toMatchObject({ message: expect.not.stringContaining(address.password) })
    }
  })

  test('a server that is not there is transient', async () => {
    const address = new URL(postgresUrl)
    address.port = '1'
    expect(await outcome(openPostgres({ url: address.href, schema: 'x' }))).toBeInstanceOf(TransientError)
  })
})
