import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import type { Started } from '@millrace/platform/component.ts'
import { until } from '@millrace/platform/testing/until.ts'

export interface Usage {
  readonly cpuMs: number
  readonly residentMib: number
}

/** A server with all the processes that it starts. */
export interface ServerProcess {
  usage(): Usage
}

export interface ServerCommand {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly log: string
  /** Asked until it answers 2xx. */
  readonly readyUrl: string
}

const MARK = 'BENCH_SERVER'
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Processes that carry the mark in their environment: children of children too, whatever session they have moved to. */
export function processesMarked(mark: string, program = ''): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return all.filter((pid) => read(`/proc/${pid}/environ`).includes(mark) && read(`/proc/${pid}/cmdline`).includes(program)).map(Number)
}

export function usageOf(pids: readonly number[]): Usage {
  const each = pids.map((pid) => {
    const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? []
    const [ticks, pages] = [Number(fields[11] ?? 0) + Number(fields[12] ?? 0), Number(fields[21] ?? 0)]
    return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, residentMib: (pages * PAGE_BYTES) / 2 ** 20 }
  })
  return { cpuMs: each.reduce((sum, one) => sum + one.cpuMs, 0), residentMib: each.reduce((sum, one) => sum + one.residentMib, 0) }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null)
  await response?.body?.cancel()
  return response?.ok === true
}

/** Starts a server and waits until it is ready. @throws Error with its last words */
export async function startServer({ name, command, args, cwd, env, log, readyUrl }: ServerCommand): Promise<Started<ServerProcess>> {
  const id = randomUUID()
  const mark = `${MARK}=${id}`
  const output = openSync(log, 'a')
  const child = spawn(command, args, { cwd, env: { ...env, [MARK]: id }, stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  child.on('error', () => undefined)
  const kill = (signal: 'SIGTERM' | 'SIGKILL'): void => void spawnSync('kill', [`-${signal.slice(3)}`, ...processesMarked(mark).map(String)])
  const onExit = (): void => kill('SIGKILL')
  process.once('exit', onExit)
  const stop = async (): Promise<void> => {
    process.removeListener('exit', onExit)
    kill('SIGTERM')
    await until(() => processesMarked(mark).length === 0, { timeoutMs: 5_000 }).catch(() => kill('SIGKILL'))
  }
  const ready = await until(async () => child.exitCode !== null || (await answers(readyUrl)), { timeoutMs: 180_000, everyMs: 200 }).catch(() => null)
  if (ready && child.exitCode === null) return { value: { usage: () => usageOf(processesMarked(mark)) }, stop }
  await stop()
  throw new Error(`${name} did not start:\n${read(log).slice(-2000)}`)
}
