import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { beforeAll, expect, test } from 'vitest'
import type { Database } from '../sql/sql.ts'
import { parseTraceparent, withTrace } from '../telemetry/tracing.ts'
import { countingIds, fixedClock } from '../testing/fixed.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { type Commit, createPublish, notifyAfterCommit } from './outbox.ts'

let database: Database
beforeAll(async () => {
  database = await freshDatabase()
})
const publish = createPublish({ source: '/millrace/registry', clock: fixedClock(), newId: countingIds() })
const deleted = { definition: modelVersionDeleted, subject: 'fish', data: { model: 'fish', version: '1', deletedBy: 'ann' } }

test('an event is a row of the caller’s transaction, with the trace that it belongs to', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await withTrace(parseTraceparent(`00-${traceId}-b7ad6b7169203331-01`), () => database.transaction((tx) => publish(tx, deleted)))
  const [row] = await database.query('select * from outbox')
  expect(row).toMatchObject({
    id: '00000000-0000-7000-8000-000000000001',
    aggregatetype: 'modelversion',
    aggregateid: 'fish',
    type: modelVersionDeleted.type,
    topic: 'millrace.model-events.v1',
    dataschema: 'https://schemas.millrace.io/io.millrace.modelversion.deleted.v1/1.0.json',
    payload: deleted.data,
    headers: { ce_source: '/millrace/registry', ce_traceparent: expect.stringContaining(traceId) },
    published_at: null,
  })
})

test('a transaction that rolls back publishes nothing', async () => {
  const before = await database.query('select seq from outbox')
  const work = database.transaction(async (tx) => {
    await publish(tx, deleted)
    throw new Error('no')
  })
  await expect(work).rejects.toThrow('no')
  expect(await database.query('select seq from outbox')).toEqual(before)
})

test('data that does not match the definition throws and names the field', async () => {
  const wrong = { ...deleted, data: { model: 'fish', deletedBy: 'ann' } }
  // @ts-expect-error the type refuses it too
  await expect(database.transaction((tx) => publish(tx, wrong))).rejects.toThrow('version')
})

test('an event too large for the log is refused before it is written', async () => {
  const large = { ...deleted, data: { ...deleted.data, deletedBy: 'x'.repeat(1_000_000) } }
  await expect(database.transaction((tx) => publish(tx, large))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
})

test('a commit tells what it did; reading and rolling back tell nothing', async () => {
  const commits: Commit[] = []
  const watched = notifyAfterCommit(database, (commit) => commits.push(commit))
  await watched.query('select 1')
  await watched.transaction((tx) => tx.query('select 1 for update'))
  await watched
    .transaction((tx) => publish(tx, { ...deleted, data: { ...deleted.data, version: 'no' } }).then(() => Promise.reject(new Error('no'))))
    .catch(() => undefined)
  expect(commits).toEqual([])
  await watched.transaction((tx) => publish(tx, deleted))
  await watched.transaction((tx) => tx.query('delete from inbox'))
  await watched.query('delete from inbox')
  expect(commits).toEqual([
    { published: true, wrote: true },
    { published: false, wrote: true },
    { published: false, wrote: true },
  ])
})
