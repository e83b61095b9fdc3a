import { once } from 'node:events'
import { setPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { AppError, isErrorCode, TransientError } from '@millrace/platform/errors.ts'
import type { AnswerMessage, CallMessage, ReadyMessage } from './calls.ts'

/** A worker thread that answers calls. */
export interface Thread {
  /** @throws AppError with the code the thread refused with; Error when the call failed; TransientError when the thread is gone */
  call(method: string, argument: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown>
  /** Calls that have no answer yet. */
  readonly pending: number
  /** Called once when the thread ended without having been stopped. */
  onLost(listener: () => void): void
  /**
   * Puts the thread behind all that are less nice (0, as it starts, to 19) where the operating system allows it. There is no way back.
   */
  beNice(niceness: number): void
  readonly niceness: number
  /** Ends the thread; what had no answer yet is rejected. A thread inside a native call ends only when that returns: it is not waited for then. */
  stop(): Promise<void>
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

const HEAP_MB = 512
/** What a thread makes is short-lived and small beside the model: a large nursery would only hold memory. */
const YOUNG_HEAP_MB = 16
const STOP_MS = 1000
const START_MS = 60_000

/** Starts a thread from `entry` and resolves once its code is loaded, so that the first call does not pay for it. */
export async function startThread(entry: URL): Promise<Thread> {
  const worker = new Worker(entry, {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
    execArgv: [],
    stdout: false,
    stderr: false,
  })
  const waiting = new Map<number, Waiting>()
  const lostListeners: (() => void)[] = []
  let stopped = false
  let lost = false
  const { systemId } = await firstMessage(worker)
  let niceness = 0
  let unanswered = 0
  worker.on('message', (answer: AnswerMessage) => {
    unanswered -= 1
    settle(waiting, answer)
    if (stopped && unanswered === 0) void worker.terminate()
  })
  worker.on('error', () => undefined)
  worker.once('exit', () => {
    lost = true
    giveUp(waiting)
    if (!stopped) for (const listener of lostListeners) listener()
  })
  worker.unref()
  let nextId = 0
  return {
    call(method, argument, transfer = []) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      if (lost) return Promise.reject(new TransientError('the worker thread has ended'))
      const message: CallMessage = { id: nextId++, method, argument }
      waiting.set(message.id, { resolve, reject })
      unanswered += 1
      worker.postMessage(message, transfer)
      return promise
    },
    get pending() {
      return waiting.size
    },
    beNice(wanted) {
      if (wanted <= niceness || systemId === null) return
      try {
        setPriority(systemId, wanted)
        niceness = wanted
      } catch {
        // Not allowed here, or the thread is gone: it runs as it is.
      }
    },
    get niceness() {
      return niceness
    },
    onLost: (listener) => void lostListeners.push(listener),
    async stop() {
      stopped = true
      // The runtime ends the whole process when its call returns into a thread that was ended meanwhile: it ends after its answer.
      if (unanswered > 0) return giveUp(waiting)
      await Promise.race([worker.terminate(), pause(STOP_MS, undefined, { ref: false })])
    },
  }
}

/** @throws TransientError when the thread does not come up; Error when its code cannot be loaded */
async function firstMessage(worker: Worker): Promise<ReadyMessage> {
  const signal = AbortSignal.timeout(START_MS)
  try {
    const [message] = await once(worker, 'message', { signal })
    // The cast is sound: serve-thread.ts says this first.
    return message as ReadyMessage
  } catch (cause) {
    void worker.terminate()
    throw signal.aborted ? new TransientError(`a worker thread did not start within ${START_MS} ms`, { cause }) : cause
  }
}

function giveUp(waiting: Map<number, Waiting>): void {
  for (const { reject } of waiting.values()) reject(new TransientError('the worker thread ended before it had answered'))
  waiting.clear()
}

function settle(waiting: Map<number, Waiting>, answer: AnswerMessage): void {
  const call = waiting.get(answer.id)
  waiting.delete(answer.id)
  if (answer.ok) call?.resolve(answer.result)
  else call?.reject(isErrorCode(answer.code) ? new AppError(answer.code, answer.message, { details: answer.details }) : new Error(answer.message))
}
