import { randomUUID } from 'node:crypto'
import type { Started } from '../component.ts'
import { migrateService } from '../sql/migrate.ts'
import { type EmbeddedDatabase, openPglite } from '../sql/pglite.ts'
import type { Database } from '../sql/sql.ts'

let shared: Promise<Started<EmbeddedDatabase>> | null = null

/** The one in-memory PostgreSQL of this test file: starting it takes one to two seconds. It ends with the process. */
export async function testDatabase(): Promise<EmbeddedDatabase> {
  shared ??= openPglite({ directory: null })
  return (await shared).value
}

/** An empty schema of its own. */
export async function emptyDatabase(): Promise<Database> {
  return (await testDatabase()).schema(`test_${randomUUID().slice(0, 8)}`)
}

/** A schema of its own with the platform's tables and those of the service: `freshDatabase(new URL('../migrations/', import.meta.url))`. */
export async function freshDatabase(serviceMigrations: URL | string | null = null): Promise<Database> {
  const database = await emptyDatabase()
  await migrateService(database, serviceMigrations)
  return database
}
