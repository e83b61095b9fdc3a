import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { type MessagePort, parentPort, threadId, workerData } from 'node:worker_threads'
import { PGlite, type Results } from '@electric-sql/pglite'
import type { EndRequest, Rows, StatementRequest, WireError, WorkerReply, WorkerRequest, WorkerTask } from './pglite-protocol.ts'

/** Runs PostgreSQL (WASM) off the main thread: a statement blocks the thread it runs on. */
const task: WorkerTask = workerData

const INT8 = 20
const NUMERIC = 1700
const BYTEA = 17

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} is beyond 2^53 and cannot be read as a number: select it as text`)
  return value
}

const parsers = { [INT8]: parseInt8, [NUMERIC]: (text: string) => text }

/**
 * A lone backend: 32 MB of buffers cost 110 MB less resident memory than the default 128 MB and are as fast on this load; segments of the write-ahead log are
 * removed at checkpoints instead of being kept (up to 1 GB by default).
 */
const settings = ['shared_buffers=32MB', 'max_wal_size=64MB', 'min_wal_size=32MB', 'wal_recycle=off', 'wal_init_zero=off']
const startParams = [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])]

/** PostgreSQL says on its standard error why it gives up; afterwards it answers nothing more. */
let lastComplaint = ''
function onStderr(line: string): boolean {
  const complaint = /(PANIC|FATAL): +(.*)/.exec(line)
  if (complaint) lastComplaint = complaint[2] ?? ''
  if (complaint?.[1] === 'PANIC') reply({ kind: 'panic', message: lastComplaint })
  return true
}

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message)
}

async function openDatabase(): Promise<PGlite> {
  const options = { parsers, startParams, onStderr }
  if (task.directory !== null) return PGlite.create({ ...options, dataDir: task.directory })
  if (task.snapshot === null) return PGlite.create(options)
  if (!existsSync(task.snapshot)) await writeSnapshot(task.snapshot)
  return PGlite.create({ ...options, loadDataDir: new Blob([await readFile(task.snapshot)]) })
}

/** Written under a name of its own and renamed, so that nobody reads half of it. */
async function writeSnapshot(path: string): Promise<void> {
  const database = await PGlite.create({ startParams })
  const tar = await database.dumpDataDir('none')
  await database.close()
  const unfinished = `${path}.${process.pid}.${threadId}`
  await writeFile(unfinished, Buffer.from(await tar.arrayBuffer()))
  await rename(unfinished, path)
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

function serve(port: MessagePort, database: PGlite): void {
  const session = createSession(database)
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
}

async function main(): Promise<void> {
  if (!parentPort) throw new Error('pglite-worker runs in a worker thread only')
  try {
    const database = await openDatabase()
    if (task.initialise) await database.close()
    else serve(parentPort, database)
    reply({ kind: 'opened' })
  } catch (error) {
    const failure = wireError(error)
    reply({ kind: 'open-failed', error: { ...failure, message: lastComplaint || failure.message } })
  }
}

await main()
