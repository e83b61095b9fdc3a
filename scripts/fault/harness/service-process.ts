import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { until } from '@millrace/platform/testing/until.ts'
import type { ServiceName } from '../../cluster/plan.ts'

const root = join(import.meta.dirname, '..', '..', '..')

type Environment = Readonly<Record<string, string>>
/** A line of a service's log. */
export type LogLine = Readonly<Record<string, unknown>>

export interface ServiceProcess {
  readonly name: string
  readonly service: ServiceName
  readonly url: string
  /** Null while it does not run. */
  readonly pid: number | null
  /** How often it was started. */
  readonly starts: number
  /** Everything that it has logged, in all its lives. */
  readonly lines: readonly LogLine[]
  /** Starts it, with further settings for this life, and waits until its port is open. */
  start(extra?: Environment): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves with the signal or the exit code that ended its life. */
  ended(): Promise<NodeJS.Signals | number | null>
  send(signal: NodeJS.Signals): void
}

/** A service as a process of its own, started from its `main.ts`; not running yet. */
export function describeProcess(options: { name: string; service: ServiceName; url: string; env: Environment }): ServiceProcess {
  const { name, service, url, env } = options
  const lines: LogLine[] = []
  let child: ChildProcess | null = null
  let ended: Promise<NodeJS.Signals | number | null> = Promise.resolve(null)
  let starts = 0
  let raw = ''

  function read(chunk: Buffer): void {
    const parts = (raw + chunk.toString()).split('\n')
    raw = parts.pop() ?? ''
    for (const text of parts) if (text.trim() !== '') lines.push(parseLine(text))
  }
  function launch(extra: Environment): ChildProcess {
    const main = join(root, 'services', service, 'src', 'main.ts')
    const { PATH = '', HOME = '' } = process.env
    const launched = spawn(process.execPath, [main], { cwd: root, env: { PATH, HOME, ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] })
    launched.stdout?.on('data', read)
    launched.stderr?.on('data', read)
    ended = once(launched, 'exit').then(([code, signal]) => {
      child = null
      return signal ?? code
    })
    return launched
  }
  async function finish(signal: NodeJS.Signals): Promise<NodeJS.Signals | number | null> {
    child?.kill(signal)
    return ended
  }
  return {
    name,
    service,
    url,
    lines,
    get pid() {
      return child?.pid ?? null
    },
    get starts() {
      return starts
    },
    async start(extra = {}) {
      const before = lines.length
      child = launch(extra)
      starts += 1
      const runs = (): boolean => lines.slice(before).some((line) => line['message'] === 'service runs' || line['msg'] === 'service runs')
      await until(() => runs() || child === null, { timeoutMs: 60_000 })
      if (!runs())
        throw new Error(
          `${name} ended while it started:\n${lines
            .slice(before)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
        )
    },
    kill: async () => void (await finish('SIGKILL')),
    async stop() {
      const how = await finish('SIGTERM')
      return typeof how === 'number' ? how : null
    },
    ended: () => ended,
    send: (signal) => void child?.kill(signal),
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text)
  } catch {
    return { text }
  }
}
