import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { emptyDatabase, freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { migrations } from '../service.ts'
import { appendAudit } from '../store/audit.ts'
import { headNow, verifyTrail } from '../testing/read-audit.ts'
import { registered, runningRegistry, transition } from '../testing/running-registry.ts'

const now = new Date('2026-01-01T00:00:00.123Z')
const append = (database: Database, model: string, to: string, details: Record<string, unknown> = {}, user = 'ana') =>
  database.transaction((tx) => appendAudit(tx, { user, requestId: 'r' }, now, { action: 'test', model, modelId: null, version: 1, to, details }))

/** What somebody with all rights on the database could do. */
async function tamper(database: Database, statement: string): Promise<void> {
  await database.query('alter table audit_entry disable trigger user')
  await database.query(statement)
  await database.query('alter table audit_entry enable trigger user')
}

test('every change adds a line to the chain of its model, and the whole trail verifies', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await registered(registry, 'bird')
  await transition(registry, 1, 'Production')
  await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' })
  const { entries, findings } = await verifyTrail(registry.database)
  expect(findings).toEqual([])
  const { body } = await registry.send('GET', '/api/v1/audit/head')
  expect(body).toMatchObject({ entries, chains: [{ chain: '', length: 2 }, { chain: 'bird' }, { chain: 'fish' }] })
})

test('the export is a stream of lines from the head to the end, for administrators alone', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const refused = await registry.send('GET', '/api/v1/audit/export', { role: 'promoter' })
  expect(refused).toMatchObject({ status: 403 })
  const text = await registry.text('/api/v1/audit/export')
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line): { kind: string; chain?: string } => JSON.parse(line))
  expect(lines.map(({ kind, chain }) => (kind === 'entry' ? chain : kind))).toEqual(['head', '', 'fish', 'fish', 'fish', 'end'])
})

test('what is hashed is the same text in the database and outside, whatever was written', async () => {
  const database = await freshDatabase(migrations)
  const storable = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed() && !text.includes('\0'))
  const value = fc.oneof(storable, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))
  await fc.assert(
    fc.asyncProperty(storable, storable, fc.dictionary(storable, value, { maxKeys: 3 }), (to, user, details) => append(database, 'fish', to, details, user)),
    { numRuns: 60, seed: 7 },
  )
  expect(await verifyTrail(database)).toEqual({ entries: 61, findings: [] })
})

test('a trail longer than a page is exported whole', async () => {
  const database = await freshDatabase(migrations)
  await database.transaction(async (tx) => {
    for (let index = 0; index < 1203; index++)
      await appendAudit(tx, { user: 'ana', requestId: '' }, now, { action: 'test', model: `m${index % 3}`, modelId: null })
  })
  expect(await verifyTrail(database)).toEqual({ entries: 1206, findings: [] })
})

test.each([
  ['changed', "update audit_entry set actor = 'eve' where chain = 'fish' and seq = 2", { kind: 'changed', chain: 'fish', seq: 2 }],
  ['removed', "delete from audit_entry where chain = 'fish' and seq = 2", { kind: 'removed', chain: 'fish', seq: 2 }],
  ['moved in time', "update audit_entry set at = at + interval '1 microsecond' where chain = 'fish' and seq = 3", { kind: 'changed', seq: 3 }],
  [
    'put in',
    `insert into audit_entry (at, actor, action, model, reason, request_id, chain, seq, previous_hash, hash)
     select at, 'eve', action, model, reason, request_id, chain, 4, hash, repeat('a', 64) from audit_entry where chain = 'fish' and seq = 3`,
    { kind: 'changed', seq: 4 },
  ],
  [
    'exchanged with another',
    `update audit_entry a set to_value = b.to_value, details = b.details from audit_entry b
     where a.chain = 'fish' and b.chain = 'fish' and (a.seq, b.seq) in ((1, 2), (2, 1))`,
    { kind: 'changed', seq: 1 },
  ],
])('a row that was %s behind the back of the registry is found', async (_what, statement, expected) => {
  const database = await freshDatabase(migrations)
  for (const to of ['a', 'b', 'c']) await append(database, 'fish', to)
  await append(database, 'bird', 'a')
  await tamper(database, statement)
  const { findings } = await verifyTrail(database)
  expect(findings).toHaveLength(1)
  expect(findings[0]).toMatchObject(expected)
})

test('rows cut off at the end together with the end of the chain are found by a head that was kept', async () => {
  const database = await freshDatabase(migrations)
  for (const to of ['a', 'b', 'c']) await append(database, 'fish', to)
  const anchor = await headNow(database)
  await tamper(database, "delete from audit_entry where chain = 'fish' and seq = 3")
  await database.query('alter table audit_chain disable trigger user')
  await database.query("update audit_chain set length = 2, hash = (select hash from audit_entry where chain = 'fish' and seq = 2) where chain = 'fish'")
  expect((await verifyTrail(database)).findings).toEqual([])
  expect((await verifyTrail(database, anchor)).findings).toMatchObject([{ kind: 'removed', chain: 'fish', seq: 3 }])
})

test.each([
  "update audit_entry set actor = 'eve'",
  'delete from audit_entry',
  'truncate audit_entry',
  "update audit_chain set hash = repeat('a', 64)",
  'delete from audit_chain',
  'truncate audit_chain',
])('%s is refused by the database', async (statement) => {
  const database = await freshDatabase(migrations)
  await append(database, 'fish', 'a')
  await expect(database.query(statement)).rejects.toThrow('append-only')
  expect((await verifyTrail(database)).findings).toEqual([])
})

test('a place in the chain cannot be chosen by who appends', async () => {
  const database = await freshDatabase(migrations)
  await database.query(
    `insert into audit_entry (at, actor, action, model, reason, request_id, chain, seq, previous_hash, hash)
     values (now(), 'eve', 'test', 'fish', '', '', 'bird', 77, repeat('a', 64), repeat('b', 64))`,
  )
  expect((await verifyTrail(database)).findings).toEqual([])
})

test('a change that is rolled back leaves no line and no gap', async () => {
  const database = await freshDatabase(migrations)
  await append(database, 'fish', 'a')
  const failing = database.transaction(async (tx) => {
    await appendAudit(tx, { user: 'ana', requestId: 'r' }, now, { action: 'test', model: 'fish', modelId: null })
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await append(database, 'fish', 'b')
  expect(await verifyTrail(database)).toEqual({ entries: 3, findings: [] })
})

test('a trail from before there were chains is taken into them', async () => {
  const before = await mkdtemp(join(tmpdir(), 'registry-migrations-'))
  onTestFinished(() => rm(before, { recursive: true }))
  const names = (await readdir(fileURLToPath(migrations))).sort()
  for (const name of names.slice(
    0,
    names.findIndex((each) => each.endsWith('_audit_chain.sql')),
  )) {
    await cp(fileURLToPath(new URL(name, migrations)), join(before, name))
  }
  const database = await emptyDatabase()
  await migrateService(database, before)
  for (const [model, to] of [
    ['fish', 'a'],
    ['', 'hook'],
    ['bird', 'b'],
    ['fish', 'c'],
  ] as const)
    await append(database, model, to, { z: 1, aa: [1.5, null] })
  await migrateService(database, migrations)
  await append(database, 'fish', 'd')
  expect(await verifyTrail(database)).toEqual({ entries: 7, findings: [] })
  expect(await database.query("select to_value from audit_entry where chain = 'fish' order by seq")).toEqual([
    { to_value: 'a' },
    { to_value: 'c' },
    { to_value: 'd' },
  ])
  await expect(database.query('delete from audit_entry')).rejects.toThrow('append-only')
})
