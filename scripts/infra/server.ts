import { isTaken } from './ask.ts'
import { type ManagedProcess, runningProcess, startProcess, stopProcess, waitUntilAnswers } from './managed-process.ts'
import type { Secrets } from './secrets.ts'
import type { InfraSettings, ServerName } from './settings.ts'

export interface InfraContext {
  readonly settings: InfraSettings
  readonly secrets: Secrets
}

export interface Launch {
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
}

/** One of the four servers: how to prepare it, run it, ask whether it answers, and what others must know to reach it. */
export interface Server {
  readonly name: ServerName
  /** Installs, builds and initialises what is missing; the result runs in the foreground. */
  prepare(context: InfraContext, directory: string): Promise<Launch>
  answers(context: InfraContext): Promise<boolean>
  /** After it answers for the first time, such as creating a database; safe to repeat. */
  settle?(context: InfraContext, directory: string): Promise<void>
  environment(context: InfraContext, directory: string): Readonly<Record<string, string>>
  readonly stopSignal?: NodeJS.Signals
}

/** Where servers run: as processes of this machine, or in containers. */
export interface Runner {
  /** Starts a server unless it runs already, and waits until it answers. Resolves with the time it took in milliseconds, null when it ran. */
  up(server: Server, context: InfraContext): Promise<number | null>
  /** Stops what `up` started; answers whether there was something. */
  down(server: Server, context: InfraContext): Promise<boolean>
  status(server: Server, context: InfraContext): Promise<string>
  isRunning(server: Server, context: InfraContext): Promise<boolean>
  environment(server: Server, context: InfraContext): Readonly<Record<string, string>>
}

const processOf = (server: Server, { settings }: InfraContext): ManagedProcess => ({
  name: server.name,
  directory: `${settings.directory}/${server.name}`,
  port: settings.ports[server.name],
})

async function up(server: Server, context: InfraContext): Promise<number | null> {
  const managed = processOf(server, context)
  const running = runningProcess(managed)
  if (running && running.port !== managed.port) {
    throw new Error(`${server.name} runs on port ${running.port}, not ${managed.port}: stop it first (infra down ${server.name})`)
  }
  const start = performance.now()
  if (!running) {
    if (await isTaken(managed.port)) {
      throw new Error(`port ${managed.port} is taken by another program: set MILLRACE_${server.name.toUpperCase()}_PORT to a free one`)
    }
    const { command, env } = await server.prepare(context, managed.directory)
    startProcess(managed, command, env)
  }
  await waitUntilAnswers(managed, () => server.answers(context))
  await server.settle?.(context, managed.directory)
  return running ? null : performance.now() - start
}

async function status(server: Server, context: InfraContext): Promise<string> {
  const running = runningProcess(processOf(server, context))
  if (!running) return 'not running'
  const answering = await server.answers(context).catch(() => false)
  return `${answering ? 'answers' : 'does not answer'} on 127.0.0.1:${running.port} (pid ${running.pid})`
}

export const processes: Runner = {
  up,
  down: (server, context) => stopProcess(processOf(server, context), server.stopSignal),
  status,
  isRunning: async (server, context) => runningProcess(processOf(server, context)) !== null,
  environment: (server, context) => server.environment(context, processOf(server, context).directory),
}
