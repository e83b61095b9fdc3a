import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase } from '../testing/fresh-database.ts'
import { migrate, migrateService } from './migrate.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-migrate-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const write = (name: string, text: string): void => writeFileSync(join(directory, name), text)

test('files are applied once, in order, also when several start at the same time', async () => {
  const database = await emptyDatabase()
  write('0001_first.sql', 'create table thing (id int); insert into thing values (1);')
  write('0002_second.sql', 'alter table thing add column name text;')
  await Promise.all([migrate(database, directory), migrate(database, directory)])
  await migrate(database, directory)
  expect(await database.query('select * from thing')).toEqual([{ id: 1, name: null }])
  expect(await database.query('select version, name from schema_migration order by version')).toEqual([
    { version: 1, name: '0001_first.sql' },
    { version: 2, name: '0002_second.sql' },
  ])
})

test('a file that fails leaves nothing of itself and can be mended', async () => {
  const database = await emptyDatabase()
  write('0001_broken.sql', 'create table thing (id int); create table thing (id int);')
  await expect(migrate(database, directory)).rejects.toThrow('already exists')
  write('0001_broken.sql', 'create table thing (id int);')
  await migrate(database, directory)
  expect(await database.query('select * from thing')).toEqual([])
})

test('an applied file that was changed is refused', async () => {
  const database = await emptyDatabase()
  write('0001_first.sql', 'create table thing (id int);')
  await migrate(database, directory)
  write('0001_first.sql', 'create table thing (id int8);')
  await expect(migrate(database, directory)).rejects.toThrow('0001_first.sql was changed')
})

test('a database of a newer version is refused', async () => {
  const database = await emptyDatabase()
  write('0001_first.sql', 'select 1')
  write('0002_second.sql', 'select 1')
  await migrate(database, directory)
  rmSync(join(directory, '0002_second.sql'))
  await expect(migrate(database, directory)).rejects.toThrow('newer version')
})

test('a gap or a name that is not a number and a name is refused', async () => {
  const database = await emptyDatabase()
  write('0002_second.sql', 'select 1')
  await expect(migrate(database, directory)).rejects.toThrow('numbered')
})

test('a service gets the platform’s tables beside its own', async () => {
  const database = await emptyDatabase()
  write('0001_own.sql', 'create table own (id int)')
  await migrateService(database, directory)
  await migrateService(database, directory)
  for (const table of ['outbox', 'inbox', 'idempotency', 'own']) expect(await database.query(`select * from ${table}`)).toEqual([])
})
