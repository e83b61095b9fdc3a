import { beforeAll, expect, test } from 'vitest'
import type { Database } from '../sql/sql.ts'
import { fixedClock } from '../testing/fixed.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { createOnce } from './once.ts'
import { pruneMessaging } from './prune.ts'

const clock = fixedClock()
const once = createOnce({ clock })
let database: Database
beforeAll(async () => {
  database = await freshDatabase()
})

test('a repeated key gets the first answer and does no work', async () => {
  let calls = 0
  const ask = () => database.transaction((tx) => once(tx, 'first', async () => ({ generation: ++calls })))
  expect([await ask(), await ask(), await ask()]).toEqual([{ generation: 1 }, { generation: 1 }, { generation: 1 }])
})

test('callers at the same time get one answer', async () => {
  let calls = 0
  const ask = () => database.transaction((tx) => once(tx, 'same', async () => ++calls))
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1])
})

test('an answer may be null or nothing, and is an answer all the same', async () => {
  const calls: string[] = []
  for (let round = 0; round < 2; round += 1) {
    const nothing = await database.transaction((tx) => once(tx, 'nothing', async () => void calls.push('nothing')))
    const none = await database.transaction((tx) => once(tx, 'null', async () => (calls.push('null') > 0 ? null : 1)))
    expect([nothing, none]).toEqual([undefined, null])
  }
  expect(calls).toEqual(['nothing', 'null'])
})

test('work that fails leaves the key free', async () => {
  const ask = (fail: boolean) => database.transaction((tx) => once(tx, 'retry', () => (fail ? Promise.reject(new Error('down')) : Promise.resolve('done'))))
  await expect(ask(true)).rejects.toThrow('down')
  expect(await ask(false)).toBe('done')
})

test('answers are kept for a week', async () => {
  const signal = new AbortController().signal
  await pruneMessaging(database, clock(), signal)
  expect((await database.query('select key from idempotency')).length).toBeGreaterThan(0)
  clock.advance(8 * 86_400_000)
  await pruneMessaging(database, clock(), signal)
  expect(await database.query('select key from idempotency')).toEqual([])
})
