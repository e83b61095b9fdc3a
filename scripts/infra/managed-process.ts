import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface ManagedProcess {
  readonly name: string
  /** Holds `server.pid` and `server.log`. */
  readonly directory: string
  readonly port: number
}

export interface Running {
  readonly pid: number
  readonly port: number
  /** When the process began, as the system tells it: a pid alone may have been given to another process since. */
  readonly birth: string
}

/** When a process began, null when there is none. Field 22 of /proc/<pid>/stat, counted after the name, which may hold blanks (proc(5)). */
function birthOf(pid: number): string | null {
  if (existsSync('/proc/self/stat')) {
    try {
      const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return state === 'Z' ? null : (fields[18] ?? null)
    } catch {
      return null
    }
  }
  const listed = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
  return listed.status === 0 ? listed.stdout.trim() : null
}

const pidFile = ({ directory }: ManagedProcess): string => join(directory, 'server.pid')
const logFile = ({ directory }: ManagedProcess): string => join(directory, 'server.log')

/** The process that an earlier call started, if it still runs. */
export function runningProcess(server: ManagedProcess): Running | null {
  if (!existsSync(pidFile(server))) return null
  const running: Running = JSON.parse(readFileSync(pidFile(server), 'utf8'))
  return birthOf(running.pid) === running.birth ? running : null
}

/** Starts a server that outlives this program; what it says goes to `server.log`. */
export function startProcess(server: ManagedProcess, command: readonly [string, ...string[]], env: Readonly<Record<string, string>> = {}): void {
  mkdirSync(server.directory, { recursive: true })
  const log = openSync(logFile(server), 'a')
  const [program, ...args] = command
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env }, cwd: '/' })
  child.on('error', (error) => process.stderr.write(`${server.name}: ${error.message}\n`))
  child.unref()
  closeSync(log)
  const birth = child.pid === undefined ? null : birthOf(child.pid)
  if (child.pid === undefined || birth === null) throw new Error(`${server.name} could not be started: ${program} did not run`)
  const running: Running = { pid: child.pid, port: server.port, birth }
  writeFileSync(pidFile(server), JSON.stringify(running))
}

/** Waits until `answers` is true. @throws Error with the end of the server's log when it ended, or did not answer in time */
export async function waitUntilAnswers(server: ManagedProcess, answers: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (await answers().catch(() => false)) return
    if (!runningProcess(server)) throw new Error(`${server.name} ended while it started. ${lastWords(server)}`)
    await pause(50)
  }
  throw new Error(`${server.name} did not answer on port ${server.port} within ${timeoutMs / 1000} s. ${lastWords(server)}`)
}

const lastWords = (server: ManagedProcess): string =>
  `The end of ${logFile(server)}:\n${readFileSync(logFile(server), 'utf8').trimEnd().split('\n').slice(-15).join('\n')}`

/** Asks the process to end and, after `graceMs`, ends it. Answers whether there was one. */
export async function stopProcess(server: ManagedProcess, signal: NodeJS.Signals = 'SIGTERM', graceMs = 20_000): Promise<boolean> {
  const running = runningProcess(server)
  if (!running) {
    rmSync(pidFile(server), { force: true })
    return false
  }
  process.kill(running.pid, signal)
  // A process that was stopped by SIGSTOP hears nothing until it is continued.
  process.kill(running.pid, 'SIGCONT')
  const deadline = performance.now() + graceMs
  while (runningProcess(server)) {
    if (performance.now() > deadline) process.kill(running.pid, 'SIGKILL')
    await pause(50)
  }
  rmSync(pidFile(server), { force: true })
  return true
}
