import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { freshSchema } from '@millrace/platform/sql/postgres.fixture.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { expect, test } from 'vitest'
import { migrations } from '../service.ts'
import { appendAudit } from '../store/audit.ts'
import { verifyTrail } from '../testing/read-audit.ts'

const now = new Date('2026-01-01T00:00:00.123Z')
const record = (model: string, to: string) => ({ action: 'test', model, modelId: null, to })
const actor = { user: 'ana', requestId: 'r' }

async function openTrail() {
  const { database } = await freshSchema({ maxConnections: 20 })
  await migrateService(database, migrations)
  return database
}

describeWith('postgres', () => {
  test('many who append at once, to few chains and to new ones, leave chains without gap or fork, and some that are rolled back leave nothing', async () => {
    const database = await openTrail()
    const append = async (index: number) => {
      const work = database.transaction(async (tx) => {
        await appendAudit(tx, actor, now, record(`m${index % 5}`, String(index)))
        if (index % 7 === 0) throw new Error('rolled back')
      })
      await work.catch((error: unknown) => expect(error).toMatchObject({ message: 'rolled back' }))
    }
    await Promise.all(Array.from({ length: 210 }, (_, index) => append(index)))
    expect(await verifyTrail(database)).toEqual({ entries: 180 + 5, findings: [] })
  })

  test('a change of one model does not wait for one of another that is still open', async () => {
    const database = await openTrail()
    for (const model of ['fish', 'bird']) await database.transaction((tx) => appendAudit(tx, actor, now, record(model, 'first')))
    const held = Promise.withResolvers<void>()
    const appended = Promise.withResolvers<void>()
    const open = database.transaction(async (tx) => {
      await appendAudit(tx, actor, now, record('fish', 'second'))
      appended.resolve()
      await held.promise
    })
    await appended.promise
    await database.transaction((tx) => appendAudit(tx, actor, now, record('bird', 'second')))
    held.resolve()
    await open
    expect(await verifyTrail(database)).toEqual({ entries: 6, findings: [] })
  })

  test('an export while others append is the trail at one moment', async () => {
    const database = await openTrail()
    const stopping = new AbortController()
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let index = 0; !stopping.signal.aborted; index++)
        await database.transaction((tx) => appendAudit(tx, actor, now, record(`m${writer % 3}-${index % 40}`, String(index))))
    })
    for (let round = 0; round < 10; round++) expect((await verifyTrail(database)).findings).toEqual([])
    stopping.abort()
    await Promise.all(writers)
    expect((await verifyTrail(database)).findings).toEqual([])
  })
})
