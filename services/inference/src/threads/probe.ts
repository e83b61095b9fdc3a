import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AppError, isErrorCode } from '@millrace/platform/errors.ts'
import type { AnswerMessage, CallMessage, Probed, Trial } from './calls.ts'
import type { ModelFile } from './model-file.ts'

/** `passed`: the runtime opened the files and answered the example. `refused`: it said no. `crashed`: the process died, ran out of memory or of time. */
export type ProbeResult = { kind: 'passed'; memoryBytes: number } | { kind: 'refused'; stage: 'probe'; message: string } | { kind: 'crashed'; message: string }

export interface ProbeChild {
  probe(files: readonly ModelFile[], trial: Trial, timeoutMs: number): Promise<ProbeResult>
  readonly alive: boolean
  stop(): void
}

const ENTRY = fileURLToPath(new URL('./probe-child.ts', import.meta.url))
const HEAP_MB = 256

/** Starts the child with the runtime loaded. Its data segment is limited by the shell where there is one (`ulimit -d`: private memory, native memory too). */
export async function startProbeChild(memoryBytes: number): Promise<ProbeChild> {
  const child = launch(memoryBytes)
  let exit: string | null = null
  child.once('exit', (code, signal) => {
    exit = signal ? `it was ended by ${signal}` : `it exited with code ${code}`
  })
  child.once('error', (error) => {
    exit ??= `it could not be started (${error.message})`
  })
  child.unref()
  child.channel?.unref()
  await Promise.race([once(child, 'message'), once(child, 'exit')])
  return {
    async probe(files, trial, timeoutMs) {
      return ask(child, { id: 0, method: 'run', argument: { files, trial } }, timeoutMs)
    },
    get alive() {
      return exit === null
    },
    stop: () => void child.kill('SIGKILL'),
  }
}

function launch(memoryBytes: number): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning', ENTRY]
  const limited = ['/bin/sh', '-c', 'ulimit -d "$0" && ulimit -c 0; exec "$@"', String(Math.floor(memoryBytes / 1024)), ...node]
  const [command = '', ...args] = process.platform === 'win32' ? node : limited
  // No environment: the pod's secrets are none of the child's business.
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced', env: {} })
}

/** Asks the child and waits for the answer, its end or the time limit; a child out of time is killed. */
async function ask(child: ChildProcess, call: CallMessage, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const onMessage = (answer: AnswerMessage) => resolve(resultOf(answer))
  const onExit = (code: number | null, signal: string | null) =>
    resolve({ kind: 'crashed', message: `the process that tried it was ended by ${signal ?? `exit code ${code}`}` })
  const timer = setTimeout(() => {
    resolve({ kind: 'crashed', message: `it had not answered its example after ${timeoutMs} ms` })
    child.kill('SIGKILL')
  }, timeoutMs)
  child.once('message', onMessage)
  child.once('exit', onExit)
  if (child.exitCode !== null || child.signalCode !== null || !child.connected) onExit(child.exitCode, child.signalCode)
  else child.send(call, (error) => error && onExit(null, 'a broken channel'))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.off('message', onMessage)
    child.off('exit', onExit)
  }
}

function resultOf(answer: AnswerMessage): ProbeResult {
  // The cast is sound: probe-child.ts answers `run` with this.
  if (answer.ok) return { kind: 'passed', ...(answer.result as Probed) }
  const refusal = isErrorCode(answer.code) ? new AppError(answer.code, answer.message) : new Error(`the runtime failed: ${answer.message}`)
  return { kind: 'refused', stage: 'probe', message: refusal.message }
}
