import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { TransientError } from '../errors.ts'
import { emptyDatabase, testDatabase } from '../testing/fresh-database.ts'
import { openPglite } from './pglite.ts'
import { databaseContract } from './sql.contract.ts'

const place = mkdtempSync(join(tmpdir(), 'millrace-pglite-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

databaseContract('PGlite', async () => ({ database: await emptyDatabase(), close: async () => undefined }))

test('each schema has tables of its own', async () => {
  const embedded = await testDatabase()
  const [one, two] = [embedded.schema('one'), embedded.schema('two "quoted"')]
  await one.query('create table thing (id int)')
  await two.query('create table thing (id int)')
  await one.transaction((tx) => tx.query('insert into thing values (1)'))
  expect(await two.query('select * from thing')).toEqual([])
  expect(await one.query('select * from thing')).toEqual([{ id: 1 }])
})

test('a rolled-back first transaction of a schema leaves the schema usable', async () => {
  const database = (await testDatabase()).schema('rolled_back')
  const work = database.transaction(async (tx) => {
    await tx.query('create table gone (id int)')
    throw new Error('no')
  })
  await expect(work).rejects.toThrow('no')
  expect(await database.query('select current_schema() as name')).toEqual([{ name: 'rolled_back' }])
})

test('a parameter that cannot be sent fails that query alone', async () => {
  const database = await emptyDatabase()
  await expect(database.query('select $1', [() => 1])).rejects.toThrow(TypeError)
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
})

describe('on disk', () => {
  const directory = join(place, 'database')

  test('what was written is there after a stop and a start; a stopped database refuses', async () => {
    const first = await openPglite({ directory })
    const database = first.value.schema('kept')
    await database.query('create table thing (id int); insert into thing values (7)')
    await first.stop()
    await expect(database.query('select 1')).rejects.toThrow(TransientError)
    const second = await openPglite({ directory })
    expect(await second.value.schema('kept').query('select id from thing')).toEqual([{ id: 7 }])
    await second.stop()
  })

  test('of simultaneous opens exactly one wins; the others name the process that has it', async () => {
    const opens = await Promise.allSettled([1, 2, 3].map(() => openPglite({ directory })))
    const won = opens.filter((open) => open.status === 'fulfilled')
    const lost = opens.filter((open) => open.status === 'rejected')
    expect([won.length, lost.length]).toEqual([1, 2])
    for (const { reason } of lost) expect(reason).toMatchObject({ code: 'RESOURCE_CONFLICT', message: expect.stringContaining(String(process.pid)) })
    await won[0]?.value.stop()
  })

  test('a statement that never ends is reported, and nobody waits behind it', async () => {
    let fatal: Error | null = null
    const opened = await openPglite({ directory, statementTimeoutMs: 1_000, onFatal: (error) => (fatal = error) })
    const database = opened.value.schema('public')
    const stuck = database.query('select count(*) from generate_series(1, 100000000000)')
    const behind = database.query('select 1')
    await expect(stuck).rejects.toThrow('stuck')
    await expect(behind).rejects.toThrow(TransientError)
    expect(fatal).toBeInstanceOf(TransientError)
    await opened.stop()
  })
})
