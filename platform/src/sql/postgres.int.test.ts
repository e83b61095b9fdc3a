import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { TransientError } from '../errors.ts'
import { describeWith } from '../testing/real-infrastructure.ts'
import { backendOf, freshSchema, openFreshSchema, postgresUrl } from './postgres.fixture.ts'
import { openPostgres } from './postgres.ts'
import { databaseContract } from './sql.contract.ts'
import { UniqueViolation } from './sql.ts'

describeWith('postgres', () => {
  databaseContract('PostgreSQL', openFreshSchema)

  test('arrays of int8 and numeric keep the types of their elements, in any depth', async () => {
    const { database } = await freshSchema()
    const [row] = await database.query("select '{{1,null},{3,4}}'::int8[] as i, '{1.50,null}'::numeric[] as n, '{}'::int8[] as e")
    const nested = [
      [1, null],
      [3, 4],
    ]
    expect(row).toEqual({ i: nested, n: ['1.50', null], e: [] })
    await expect(database.query('select array[9007199254740993]::int8[] as i')).rejects.toThrow('2^53')
  })

  test('a time is the same instant whatever the zone of the role', async () => {
    const { database } = await freshSchema()
    expect(await database.query("select '2026-03-29 02:30:00+00'::timestamptz as t, current_setting('timezone') as zone")).toEqual([
      { t: new Date('2026-03-29T02:30:00Z'), zone: 'UTC' },
    ])
  })

  test('any name is a schema of its own, and settings in the address stay', async () => {
    const schema = `two "quoted" \\ ${randomUUID().slice(0, 8)}`
    const { value, stop } = await openPostgres({ url: `${postgresUrl}?options=-c%20work_mem%3D1234kB`, schema })
    onTestFinished(async () => {
      await value.query(`drop schema "${schema.replaceAll('"', '""')}" cascade`)
      await stop()
    })
    expect(await value.query("select current_schema() as name, current_setting('work_mem') as memory")).toEqual([{ name: schema, memory: '1234kB' }])
  })

  test('who opens a new schema at the same time as others gets it', async () => {
    const schema = `raced_${randomUUID().slice(0, 8)}`
    const all = await Promise.all(Array.from({ length: 8 }, () => openPostgres({ url: postgresUrl, schema })))
    expect(await Promise.all(all.map(({ value }) => value.query('select current_schema() as name')))).toEqual(all.map(() => [{ name: schema }]))
    await all[0]?.value.query(`drop schema ${schema} cascade`)
    for (const one of all) await one.stop()
  })

  test('a statement that is asked for often goes on working when its table changes: the first call may fail, the next has the new columns', async () => {
    const { database } = await freshSchema({ maxConnections: 1 })
    await database.query('create table thing (id int primary key)')
    await database.query('insert into thing values (1)')
    const read = () => database.query('select * from thing where id = $1', [1])
    for (let n = 0; n < 20; n += 1) expect(await read()).toEqual([{ id: 1 }])
    const prepared = await database.query("select count(*) as count from pg_prepared_statements where statement like 'select * from thing%'")
    expect(prepared).toEqual([{ count: 1 }])
    await database.query('alter table thing add column name text')
    await expect(read()).rejects.toThrow(TransientError)
    expect(await read()).toEqual([{ id: 1, name: null }])
  })

  test('a refused statement leaves the connection usable, inside a transaction too', async () => {
    const { database } = await freshSchema({ maxConnections: 1 })
    await database.query('create table thing (id int primary key)')
    const pid = await backendOf(database)
    await expect(database.query('insert into thing values (1), (1)')).rejects.toThrow(UniqueViolation)
    await expect(database.transaction((tx) => tx.query('insert into thing values (1), (1)'))).rejects.toThrow(UniqueViolation)
    await expect(database.query('select 9007199254740993::int8 as big')).rejects.toThrow('2^53')
    expect(await backendOf(database)).toBe(pid)
  })
})

describeWith('postgres', () => {
  test('statements of a transaction that were not waited for are part of it', async () => {
    const { database } = await freshSchema()
    await database.query('create table thing (id int)')
    await database.transaction(async (tx) => {
      await Promise.all([1, 2, 3].map((id) => tx.query('insert into thing values ($1)', [id])))
      void tx.query('insert into thing values (4)')
    })
    expect(await database.query('select id from thing order by id')).toEqual([1, 2, 3, 4].map((id) => ({ id })))
  })

  test('a transaction that asks nothing takes no connection', async () => {
    const { database } = await freshSchema({ maxConnections: 1, connectTimeoutMs: 200 })
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const holder = database.transaction(async (tx) => {
      await tx.query('select 1')
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    expect(await database.transaction(async () => 'nothing')).toBe('nothing')
    gate.resolve()
    await holder
  })

  test('processes that migrate a new schema at the same time apply each file once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-migrations-'))
    const { schema, database } = await freshSchema()
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(
      join(folder, '0001_first.sql'),
      'create table applied (at timestamptz default clock_timestamp()); select pg_sleep(0.3); insert into applied default values;',
    )
    writeFileSync(join(folder, '0002_second.sql'), 'insert into applied default values;')
    const program = `
      import { migrateService } from ${JSON.stringify(new URL('./migrate.ts', import.meta.url).href)}
      import { openPostgres } from ${JSON.stringify(new URL('./postgres.ts', import.meta.url).href)}
      const { value, stop } = await openPostgres({ url: process.env.DATABASE_URL, schema: ${JSON.stringify(schema)} })
      await migrateService(value, ${JSON.stringify(folder)})
      await stop()`
    const migrate = async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, DATABASE_URL: postgresUrl },
      })
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
      return { code, said }
    }
    const results = await Promise.all(Array.from({ length: 4 }, migrate))
    expect(results.filter((result) => result.code !== 0)).toEqual([])
    expect(await database.query('select count(*) as count from applied')).toEqual([{ count: 2 }])
    expect(await database.query('select count(*) as count from outbox')).toEqual([{ count: 0 }])
  })
})
