import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database, Sql } from './sql.ts'

interface Migration {
  readonly version: number
  readonly name: string
  readonly sha256: string
  readonly text: string
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly sha256: string
}

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return names.map((name, index) => {
    const version = Number(FILE.exec(name)?.[1])
    if (version !== index + 1) throw new Error(`${join(directory, name)}: migrations are numbered 0001_name.sql, 0002_name.sql and so on, without gaps`)
    const text = readFileSync(join(directory, name), 'utf8')
    return { version, name, text, sha256: createHash('sha256').update(text).digest('hex') }
  })
}

/** Answers whether the migration was done already. @throws Error when another text was applied under its number */
function isApplied(migration: Migration, applied: readonly Applied[]): boolean {
  const before = applied.find((row) => row.version === migration.version)
  if (!before) return false
  if (before.sha256 === migration.sha256) return true
  throw new Error(`migration ${migration.name} was changed after it had been applied (as ${before.name}): put it back, and add a new migration for the change`)
}

/** Processes that start together queue up here: the lock is held until the transaction ends. */
async function lock(tx: Sql, table: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('migrate ' || current_schema()), hashtext($1))", [table])
  await tx.query(
    `create table if not exists ${table} (version int primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`,
  )
}

async function applyNext(tx: Sql, table: string, migrations: readonly Migration[]): Promise<boolean> {
  await lock(tx, table)
  const applied = await tx.query<Applied>(`select version, name, sha256 from ${table}`)
  const unknown = applied.find((row) => row.version > migrations.length)
  if (unknown) throw new Error(`the database holds migration ${unknown.name}, which this version does not know: it was written by a newer version`)
  const next = migrations.find((migration) => !isApplied(migration, applied))
  if (!next) return false
  await tx.query(next.text)
  await tx.query(`insert into ${table} (version, name, sha256) values ($1, $2, $3)`, [next.version, next.name, next.sha256])
  return true
}

/**
 * Applies the numbered files of a directory that are not applied yet, each in one transaction; safe when several processes start at once. A file that was
 * applied must never change. `table` remembers what was applied, so that two directories can share a schema.
 */
export async function migrate(database: Database, directory: URL | string, options: { table?: string } = {}): Promise<void> {
  const table = options.table ?? 'schema_migration'
  const migrations = readMigrations(directory instanceof URL ? fileURLToPath(directory) : directory)
  let more: boolean
  do more = await database.transaction((tx) => applyNext(tx, table, migrations))
  while (more)
}

/** The platform's own tables (outbox, inbox, idempotency) first, then the service's. Pass null for a service that has none. */
export async function migrateService(database: Database, serviceMigrations: URL | string | null): Promise<void> {
  await migrate(database, new URL('./migrations/', import.meta.url), { table: 'platform_migration' })
  if (serviceMigrations !== null) await migrate(database, serviceMigrations)
}
