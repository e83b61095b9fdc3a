import { existsSync, renameSync, rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite, type Results } from '@electric-sql/pglite'
import type { EndRequest, Rows, StatementRequest, WireError, WorkerReply, WorkerRequest } from './pglite-protocol.ts'

/** Runs PostgreSQL (WASM) off the main thread: a statement blocks the thread it runs on. */
const { directory }: { directory: string | null } = workerData

const INT8 = 20
const NUMERIC = 1700
const BYTEA = 17

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} is beyond 2^53 and cannot be read as a number: select it as text`)
  return value
}

const parsers = { [INT8]: parseInt8, [NUMERIC]: (text: string) => text }

/** A directory is initialised under another name and then renamed: a process killed meanwhile leaves nothing that the next start could mistake for a database. */
async function openDatabase(): Promise<PGlite> {
  if (directory === null) return PGlite.create({ parsers })
  if (!existsSync(directory)) {
    const unfinished = `${directory}.new`
    rmSync(unfinished, { recursive: true, force: true })
    const fresh = await PGlite.create({ dataDir: unfinished })
    await fresh.close()
    renameSync(unfinished, directory)
  }
  return PGlite.create({ dataDir: directory, parsers })
}

const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

const field = (error: unknown, name: string): string => {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : ''
}

const wireError = (error: unknown): WireError => ({
  message: error instanceof Error ? error.message : String(error),
  code: field(error, 'code'),
  constraint: field(error, 'constraint'),
  detail: field(error, 'detail'),
})

const rowsOf = (result: Results<Record<string, unknown>> | undefined): Rows => ({
  rows: result?.rows ?? [],
  byteaColumns: (result?.fields ?? []).filter((column) => column.dataTypeID === BYTEA).map((column) => column.name),
})

function createSession(database: PGlite) {
  const knownSchemas = new Set<string>()
  let currentSchema = ''
  let aborted = false

  async function enterSchema(schema: string, begin: boolean): Promise<void> {
    if (!knownSchemas.has(schema)) {
      await database.exec(`create schema if not exists ${quote(schema)}`)
      knownSchemas.add(schema)
    }
    if (schema !== currentSchema) {
      await database.exec(`set search_path to ${quote(schema)}`)
      currentSchema = schema
    }
    if (begin) await database.exec('begin')
  }

  async function run(request: StatementRequest): Promise<Rows> {
    if (request.schema !== currentSchema || request.begin) await enterSchema(request.schema, request.begin)
    if (request.begin) aborted = false
    try {
      const result = request.values === null ? (await database.exec(request.text)).at(-1) : await database.query(request.text, [...request.values])
      if (aborted && /^\s*rollback\s+to\b/i.test(request.text)) aborted = false
      return rowsOf(result as Results<Record<string, unknown>> | undefined)
    } catch (error) {
      aborted = true
      throw error
    }
  }

  async function end(kind: EndRequest['kind']): Promise<Rows> {
    if (kind === 'close') await database.close()
    else await database.exec(kind === 'commit' && !aborted ? 'commit' : 'rollback')
    // PostgreSQL answers the COMMIT of an aborted transaction with a silent ROLLBACK: the caller must not take it for a commit.
    if (kind === 'commit' && aborted) throw new Error('the transaction was rolled back: an earlier statement in it had failed')
    return { rows: [], byteaColumns: [] }
  }

  return { run, end }
}

async function serve(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('pglite-worker runs in a worker thread only')
  const reply = (message: WorkerReply): void => port.postMessage(message)
  try {
    const session = createSession(await openDatabase())
    let turn: Promise<void> = Promise.resolve()
    const answer = async (request: WorkerRequest): Promise<void> => {
      try {
        const result = request.kind === 'statement' ? await session.run(request) : await session.end(request.kind)
        reply({ kind: 'rows', id: request.id, result })
      } catch (error) {
        reply({ kind: 'failed', id: request.id, error: wireError(error) })
      }
    }
    port.on('message', (request: WorkerRequest) => {
      turn = turn.then(() => answer(request))
    })
    reply({ kind: 'opened' })
  } catch (error) {
    reply({ kind: 'open-failed', error: wireError(error) })
  }
}

await serve()
