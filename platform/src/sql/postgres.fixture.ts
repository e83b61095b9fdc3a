import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { postgresForTests } from '../testing/real-infrastructure.ts'
import { openPostgres, type PostgresOptions } from './postgres.ts'
import type { Sql } from './sql.ts'

/** Empty where there is no server: then the tests that use it do not run. */
export const postgresUrl = postgresForTests()?.['DATABASE_URL'] ?? ''

/** An empty schema on the real server; `close` stops the connections and drops it, `stop` may be called before. */
export async function openFreshSchema(options: Partial<PostgresOptions> = {}) {
  const schema = `test_${randomUUID().slice(0, 8)}`
  const { value: database, stop: stopOnce } = await openPostgres({ url: postgresUrl, schema, ...options })
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => {
    stopped ??= stopOnce()
    return stopped
  }
  const close = async (): Promise<void> => {
    await stop()
    const sweeper = await openPostgres({ url: postgresUrl, schema: 'public' })
    await sweeper.value.query(`drop schema if exists ${schema} cascade`)
    await sweeper.stop()
  }
  return { schema, database, stop, close }
}

/** An empty schema that is dropped when the test ends. */
export async function freshSchema(options: Partial<PostgresOptions> = {}) {
  const opened = await openFreshSchema(options)
  onTestFinished(opened.close)
  return opened
}

export async function backendOf(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ pid: number }>('select pg_backend_pid() as pid')
  return row?.pid ?? 0
}
