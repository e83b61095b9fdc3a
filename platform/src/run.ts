import { writeSync } from 'node:fs'
import type { Started } from './component.ts'
import { AppError } from './errors.ts'
import { type Log, silentLog } from './log.ts'

interface RunOptions {
  /** Where faults that nobody caught are recorded, beside the line on standard error. */
  readonly log?: Log
  /** After this time the process ends whatever is still in progress. */
  readonly stopWithinMs?: number
  /**
   * A signal that comes again sooner is the same one. Default 1 s: Ctrl-C reaches every process of the terminal, and npm and the launcher each pass theirs on,
   * so that one key press comes up to three times.
   */
  readonly sameSignalMs?: number
}

/** Written at once, even when the process ends right after. */
const say = (line: string): void => {
  try {
    writeSync(2, `${line}\n`)
  } catch {
    // Standard error is closed: nobody is reading.
  }
}

/**
 * Runs a program until SIGTERM or SIGINT, then stops it within 25 s and exits 0; a second signal, a second or more later, exits 1 at once. `signal` is aborted by a signal that comes
 * while still starting. A start that fails says why in one line and exits 1. This file alone touches the process.
 */
export function run(start: (signal: AbortSignal) => Promise<Started<unknown>>, options: RunOptions = {}): void {
  const { log = silentLog, stopWithinMs = 25_000, sameSignalMs = 1000 } = options
  const stopping = new AbortController()
  const asked = Promise.withResolvers<void>()
  let firstAt = 0
  const onSignal = (name: NodeJS.Signals) => {
    if (stopping.signal.aborted) {
      if (performance.now() - firstAt >= sameSignalMs) end(1, `${name} again: ending at once.`)
      return
    }
    firstAt = performance.now()
    stopping.abort(new AppError('CANCELLED', `Stopped by ${name} while starting.`))
    asked.resolve()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', (error) => crash(log, 'uncaught exception', error))
  process.on('unhandledRejection', (error) => crash(log, 'unhandled rejection', error))

  const life = async () => {
    const started = await start(stopping.signal)
    await asked.promise
    setTimeout(() => end(1, `Not stopped within ${stopWithinMs / 1000} s: ending with work in progress.`), stopWithinMs).unref()
    await started.stop()
  }
  life().then(
    () => end(0),
    (error: unknown) => fail(log, error, stopping.signal.aborted),
  )
}

function fail(log: Log, error: unknown, wasStopping: boolean): never {
  if (wasStopping && error instanceof AppError && error.code === 'CANCELLED') end(0)
  log.error(wasStopping ? 'stopping failed' : 'starting failed', { error })
  end(1, describeFailure(error))
}

function crash(log: Log, what: string, error: unknown): never {
  log.error(what, { error })
  end(1, `${what}: ${describeFailure(error)}`)
}

/** A foreseen refusal is its message; anything else is a bug, and its stack helps. */
const describeFailure = (error: unknown): string => {
  if (error instanceof AppError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function end(code: number, line?: string): never {
  if (line) say(line)
  process.exit(code)
}
