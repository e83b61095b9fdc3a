import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Started } from '../component.ts'
import { migrateService } from '../sql/migrate.ts'
import { type EmbeddedDatabase, openPglite } from '../sql/pglite.ts'
import type { Database } from '../sql/sql.ts'

/** Kept between runs; another version of the database makes another one. */
function snapshotFile(): string {
  const version: unknown = JSON.parse(
    readFileSync(new URL('../package.json', pathToFileURL(createRequire(import.meta.url).resolve('@electric-sql/pglite'))), 'utf8'),
  ).version
  return join(tmpdir(), `millrace-empty-database-${String(version)}-${process.getuid?.() ?? 0}.tar`)
}

let shared: Promise<Started<EmbeddedDatabase>> | null = null

/** The one in-memory PostgreSQL of this test file: starting it takes half a second. It ends with the process. */
export async function testDatabase(): Promise<EmbeddedDatabase> {
  shared ??= openPglite({ directory: null, snapshot: snapshotFile() })
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
