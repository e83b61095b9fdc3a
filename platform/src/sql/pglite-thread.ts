import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { AppError, messageOf, TransientError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { EndRequest, Rows, StatementRequest, WorkerReply, WorkerTask } from './pglite-protocol.ts'
import { translateError } from './sql-errors.ts'

type Unsent<Request> = Omit<Request, 'id'>
type Command = Unsent<StatementRequest> | Unsent<EndRequest>

interface Waiting {
  readonly resolve: (rows: Record<string, unknown>[]) => void
  readonly reject: (error: unknown) => void
  readonly statement: string
  readonly timer: NodeJS.Timeout
}

export interface PgliteThread {
  run(command: Command): Promise<Record<string, unknown>[]>
  /** Ends the thread without asking the database: what was committed is recovered at the next start. */
  kill(): Promise<void>
}

export interface ThreadOptions {
  readonly directory: string | null
  readonly snapshot: string | null
  readonly log: Log
  readonly statementTimeoutMs: number
  /** Called once when the database can no longer answer: a crash, or a statement that never ends. */
  readonly onFatal: (error: Error) => void
}

function withBuffers({ rows, byteaColumns }: Rows): Record<string, unknown>[] {
  if (byteaColumns.length === 0) return [...rows]
  const convert = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value)
  return rows.map((row) => ({ ...row, ...Object.fromEntries(byteaColumns.map((column) => [column, convert(row[column])])) }))
}

function awaitOpen(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the database thread ended while it was starting')))
    worker.once('message', (reply: WorkerReply) => {
      if (reply.kind === 'opened') resolve()
      else if (reply.kind === 'panic') reject(new TransientError(`the database could not be opened: ${reply.message}`))
      else if (reply.kind === 'open-failed') reject(translateError(reply.error, ''))
    })
  })
}

async function startWorker(task: WorkerTask): Promise<Worker> {
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: task, execArgv: [] })
  try {
    await awaitOpen(worker)
    return worker
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

/**
 * A new directory is made under another name and then renamed: a process killed meanwhile leaves nothing that the next start could mistake for a database.
 * The thread that made it ends, and gives back the 300 MB that making it takes.
 */
async function initialise(directory: string): Promise<void> {
  const unfinished = `${directory}.new`
  await rm(unfinished, { recursive: true, force: true })
  const worker = await startWorker({ directory: unfinished, initialise: true, snapshot: null })
  await worker.terminate()
  await rename(unfinished, directory)
}

/** Starts the worker and resolves when the database answers. */
export async function startPgliteThread(options: ThreadOptions): Promise<PgliteThread> {
  const { directory } = options
  if (directory !== null && !existsSync(directory)) await initialise(directory)
  return converse(await startWorker({ directory, initialise: false, snapshot: options.snapshot }), options)
}

/** The requests that have no answer yet. */
function createWaitingList(onEmpty: () => void) {
  const waiting = new Map<number, Waiting>()
  function take(id: number): Waiting | undefined {
    const entry = waiting.get(id)
    waiting.delete(id)
    clearTimeout(entry?.timer)
    if (waiting.size === 0) onEmpty()
    return entry
  }
  return {
    take,
    add: (id: number, entry: Waiting) => void waiting.set(id, entry),
    statementOf: (id: number): string => waiting.get(id)?.statement ?? '',
    rejectAll(error: Error): void {
      for (const id of [...waiting.keys()]) take(id)?.reject(error)
    },
  }
}

function converse(worker: Worker, { log, statementTimeoutMs, onFatal }: ThreadOptions): PgliteThread {
  // A process that waits for nothing else may end: the database does not keep it alive.
  const waiting = createWaitingList(() => worker.unref())
  let lastId = 0
  let ended: Error | null = null

  function end(error: Error): boolean {
    if (ended) return false
    ended = error
    waiting.rejectAll(error)
    return true
  }

  function fail(reason: string, cause?: unknown): void {
    const error = /no space left/i.test(reason) ? new AppError('STORAGE_FULL', reason, { cause }) : new TransientError(reason, { cause })
    if (end(error)) onFatal(error)
    void worker.terminate()
  }

  function onTimeout(id: number): void {
    const fields = { statement: waiting.statementOf(id), statementTimeoutMs }
    log.error('Database statement did not end in time; the database is stuck and must be restarted', fields)
    fail(`the embedded database is stuck: a statement ran longer than ${statementTimeoutMs} ms`)
  }

  function onReply(reply: WorkerReply): void {
    if (reply.kind === 'panic') fail(`the embedded database gave up: ${reply.message}`)
    if (reply.kind === 'rows') waiting.take(reply.id)?.resolve(withBuffers(reply.result))
    if (reply.kind !== 'failed') return
    const entry = waiting.take(reply.id)
    entry?.reject(translateError(reply.error, entry.statement))
  }

  // By name: without one, Node's own listeners of the worker would go too, and nothing would arrive any more.
  for (const event of ['error', 'exit']) worker.removeAllListeners(event)
  worker.on('error', (error) => fail(`the embedded database crashed: ${messageOf(error)}`, error))
  worker.on('exit', () => fail('the embedded database has stopped'))
  worker.on('message', onReply)
  worker.unref()

  return {
    run(command) {
      if (ended) return Promise.reject(ended)
      const id = ++lastId
      const statement = command.kind === 'statement' ? command.text : command.kind
      return new Promise((resolve, reject) => {
        waiting.add(id, { resolve, reject, statement, timer: setTimeout(() => onTimeout(id), statementTimeoutMs) })
        worker.ref()
        try {
          worker.postMessage({ ...command, id })
        } catch (error) {
          waiting.take(id)?.reject(new TypeError(`a parameter cannot be sent to the database: ${messageOf(error)}`, { cause: error }))
        }
      })
    },
    async kill() {
      end(new TransientError('the embedded database is closed'))
      await worker.terminate()
    },
  }
}
