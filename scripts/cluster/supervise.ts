import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

export interface SuperviseOptions {
  readonly name: string
  readonly start: () => ChildProcess
  /** Told of every end that nobody asked for, and of the pause before the next start. */
  readonly onEnd: (reason: string, pauseMs: number) => void
  readonly onStart: (pid: number) => void
  readonly firstPauseMs?: number
  readonly longestPauseMs?: number
  /** A process that ran this long begins again with the first pause. */
  readonly settledMs?: number
}

export interface Supervised {
  readonly name: string
  pid(): number | null
  restarts(): number
  /** Asks the process to end, and ends it after `graceMs`; it is not started again. */
  stop(graceMs: number): Promise<void>
}

/** Keeps one process running: started again when it ends, after a pause that doubles while it keeps ending. */
export function supervise(options: SuperviseOptions): Supervised {
  const { name, firstPauseMs = 200, longestPauseMs = 10_000, settledMs = 30_000 } = options
  const stopping = new AbortController()
  let child: ChildProcess | null = null
  let restarts = -1

  async function runOnce(): Promise<{ reason: string; ranMs: number }> {
    const started = performance.now()
    restarts += 1
    const current = options.start()
    child = current
    const ended = endOf(current)
    if (current.pid) options.onStart(current.pid)
    const reason = await ended
    child = null
    return { reason, ranMs: performance.now() - started }
  }
  async function keepRunning(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      const { reason, ranMs } = await runOnce()
      if (stopping.signal.aborted) return
      failures = ranMs >= settledMs ? 0 : failures
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures++)
      options.onEnd(reason, pauseMs)
      await pause(pauseMs, null, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const running = keepRunning()
  return {
    name,
    pid: () => child?.pid ?? null,
    restarts: () => Math.max(0, restarts),
    async stop(graceMs) {
      stopping.abort()
      child?.kill('SIGTERM')
      const kill = setTimeout(() => child?.kill('SIGKILL'), graceMs)
      await running
      clearTimeout(kill)
    },
  }
}

/** A program that cannot be run at all emits `error` and no `exit`. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'exit')
    return signal ? `ended by ${signal}` : `ended with ${code}`
  } catch (error) {
    return `could not be started: ${error instanceof Error ? error.message : String(error)}`
  }
}
