import { expect, test } from 'vitest'
import type { Service } from '../service.ts'
import type { Database } from '../sql/sql.ts'
import { withDatabaseReadiness } from './database-readiness.ts'

const service: Service = { name: 'example', routes: [], consumers: [], jobs: [], readiness: async () => ({ ready: true, detail: { pending: 3 } }) }

function databaseThat(answers: () => boolean): Database {
  const query = async () => {
    if (answers()) return []
    throw new Error('connection refused')
  }
  return { query, transaction: () => Promise.reject(new Error('not asked for')) }
}

test('a database that is away for less than five seconds takes nobody out of service', async () => {
  let up = true
  let now = 0
  const watched = withDatabaseReadiness(
    service,
    databaseThat(() => up),
    () => now,
  )
  expect(await watched.readiness()).toEqual({ ready: true, detail: { pending: 3 } })
  up = false
  now = 4_999
  expect(await watched.readiness()).toEqual({ ready: true, detail: { database: 'does not answer' } })
  now = 5_000
  expect(await watched.readiness()).toEqual({ ready: false, detail: { database: 'does not answer' } })
  up = true
  expect(await watched.readiness()).toMatchObject({ ready: true, detail: { pending: 3 } })
})

test('what the service itself says is not ready stays not ready', async () => {
  const unready = { ...service, readiness: async () => ({ ready: false, detail: {} }) }
  expect(
    await withDatabaseReadiness(
      unready,
      databaseThat(() => true),
    ).readiness(),
  ).toEqual({ ready: false, detail: {} })
})
