import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Started } from '@millrace/platform/component.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { ProcessList } from './leftovers.ts'
import type { Member, ServiceName } from './plan.ts'
import { type Supervised, supervise } from './supervise.ts'

export interface MembersOptions {
  readonly root: string
  /** Holds the logs. */
  readonly directory: string
  readonly members: readonly Member[]
  readonly list: ProcessList
  /** Beside each member's own: infrastructure and keys. */
  readonly environmentOf: (service: ServiceName) => Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

export const logFolder = (directory: string): string => join(directory, 'logs')

/** Callers end before those they call; what follows events ends while its database and the registry are still there. */
const STOP_WAVES: readonly (readonly ServiceName[])[] = [['gateway'], ['inference', 'drift-monitor', 'trainer', 'promoter'], ['registry', 'tracking']]
const STOP_GRACE_MS = 8000

/** Starts all members and keeps them running; `stop` ends them wave by wave. */
export function runMembers(options: MembersOptions): Started<readonly Supervised[]> {
  mkdirSync(logFolder(options.directory), { recursive: true })
  const { list } = options
  const running = options.members.map((member) => ({ member, supervised: keep(member, options, (pid) => list.add(member.name, pid)) }))
  const killAll = (): void => {
    for (const { supervised } of running) kill(supervised.pid())
  }
  process.once('exit', killAll)
  return {
    value: running.map(({ supervised }) => supervised),
    async stop() {
      for (const wave of STOP_WAVES) {
        await Promise.all(running.filter(({ member }) => wave.includes(member.service)).map(({ supervised }) => supervised.stop(STOP_GRACE_MS)))
      }
      process.off('exit', killAll)
      list.clear()
    },
  }
}

function kill(pid: number | null): void {
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in between.
  }
}

const keep = (member: Member, options: MembersOptions, onStart: (pid: number) => void): Supervised =>
  supervise({
    name: member.name,
    start: () => startMember(member, options),
    onStart,
    onEnd: (reason, pauseMs) => options.say(`  ${member.name} ${reason}; started again in ${(pauseMs / 1000).toFixed(1)} s`),
  })

/** A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops the members in order. */
function startMember({ name, service, env }: Member, { root, directory, environmentOf }: MembersOptions): ChildProcess {
  const log = openSync(join(logFolder(directory), `${name}.log`), 'a')
  try {
    return spawn(process.execPath, [join(root, 'services', service, 'src/main.ts')], {
      cwd: root,
      env: { ...environmentOf(service), ...env },
      stdio: ['ignore', log, log],
      detached: true,
    })
  } finally {
    closeSync(log)
  }
}

const READY_MS = 120_000

/** Resolves when every member says that it is ready. @throws TransientError naming those that are not, and their logs */
export async function waitUntilReady(members: readonly Member[], directory: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_MS
  let waiting = members
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    const ready = await Promise.all(waiting.map(isReady))
    waiting = waiting.filter((_, index) => !ready[index])
    if (waiting.length === 0) return
    await pause(100)
  }
  const logs = waiting.map(({ name }) => join(logFolder(directory), `${name}.log`))
  throw new TransientError(`not ready after ${READY_MS / 1000} s: ${waiting.map(({ name }) => name).join(', ')}. Look at ${logs.join(', ')}`)
}

const isReady = ({ url }: Member): Promise<boolean> =>
  fetch(new URL('/ready', url), { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.body?.cancel()
      return response.ok
    },
    () => false,
  )
