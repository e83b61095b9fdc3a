import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerPlan, containerPlans } from './container-plans.ts'
import type { InfraContext, Runner, Server } from './server.ts'

/** What is used of `testcontainers`; checked against its own declarations (12.2.0). */
export interface Testcontainers {
  readonly GenericContainer: new (image: string) => Builder
  readonly Wait: { forHealthCheck(): object }
  getContainerRuntimeClient(): Promise<{ readonly container: Containers }>
}

interface Builder {
  withLabels(labels: Record<string, string>): this
  withEnvironment(env: Record<string, string>): this
  withExposedPorts(...ports: { container: number; host: number }[]): this
  withEntrypoint(entrypoint: string[]): this
  withCommand(command: string[]): this
  withCopyContentToContainer(files: { content: string; target: string; mode?: number }[]): this
  withHealthCheck(check: { test: ['CMD-SHELL', string]; interval: number; timeout: number; retries: number }): this
  withWaitStrategy(strategy: object): this
  withStartupTimeout(ms: number): this
  /** False: outlives this program. */
  withAutoCleanup(cleanup: boolean): this
  start(): Promise<{ exec(command: string[]): Promise<{ readonly exitCode: number; readonly output: string }> }>
}

interface Containers {
  fetchByLabel(
    label: string,
    value: string,
    options: { status: ('created' | 'running' | 'paused' | 'exited' | 'dead')[] },
  ): Promise<{ readonly id: string } | undefined>
  inspect(container: object): Promise<{ readonly State: { readonly Health?: { readonly Status: string } | undefined } }>
  stop(container: object, options: { timeout: number }): Promise<void>
  remove(container: object, options: { removeVolumes: boolean }): Promise<void>
}

const PACKAGE: string = 'testcontainers'
const VERSION = '12.2.0'
const LABEL = 'millrace.infra'
const START_MS = 180_000

/**
 * The four servers in containers, with MILLRACE_INFRA=containers, on the ports and with the secrets and environment lines of the processes; they outlive this
 * program, their data do not outlive `down`. The images' ports are open on every address of the machine, Kafka's first one without a password.
 *
 * This was written without a Docker engine at hand: its types were checked against testcontainers itself, its order of calls against a fake, Kafka's
 * configuration and credentials on a local broker, but no container was ever started by it.
 * @throws Error where testcontainers is not installed: it is large, and most need it not
 */
export async function openContainers(load: () => Promise<Testcontainers> = async () => import(PACKAGE)): Promise<Runner> {
  const testcontainers = await load().catch(explain)
  const find = async (server: Server, context: InfraContext, ...status: ('created' | 'running' | 'paused' | 'exited' | 'dead')[]) => {
    const { container } = await testcontainers.getContainerRuntimeClient()
    return container.fetchByLabel(LABEL, labelOf(server, context), { status })
  }
  const runner: Runner = {
    async up(server, context) {
      if (await runner.isRunning(server, context)) return null
      const began = performance.now()
      await runner.down(server, context)
      await start(testcontainers, server, context)
      return performance.now() - began
    },
    async down(server, context) {
      const found = await find(server, context, 'created', 'running', 'paused', 'exited', 'dead')
      if (!found) return false
      const { container } = await testcontainers.getContainerRuntimeClient()
      await container.stop(found, { timeout: 10 })
      await container.remove(found, { removeVolumes: true })
      return true
    },
    async status(server, context) {
      const found = await find(server, context, 'running')
      if (!found) return 'not running'
      const { container } = await testcontainers.getContainerRuntimeClient()
      const healthy = (await container.inspect(found)).State.Health?.Status === 'healthy'
      return `${healthy ? 'answers' : 'does not answer'} on 127.0.0.1:${context.settings.ports[server.name]} (container ${found.id.slice(0, 12)})`
    },
    isRunning: async (server, context) => (await find(server, context, 'running')) !== undefined,
    environment: (server, context) => server.environment(context, directoryOf(server, context)),
  }
  return runner
}

const directoryOf = (server: Server, { settings }: InfraContext): string => join(settings.directory, 'containers', server.name)
/** Of this folder's servers: another checkout has others. */
const labelOf = (server: Server, { settings }: InfraContext): string => `${settings.directory}/${server.name}`

async function start({ GenericContainer, Wait }: Testcontainers, server: Server, context: InfraContext): Promise<void> {
  const plan = containerPlans[server.name](context)
  writeClientFiles(plan, directoryOf(server, context))
  const container = new GenericContainer(plan.image)
    .withLabels({ [LABEL]: labelOf(server, context) })
    .withEnvironment({ ...plan.env })
    .withExposedPorts(...plan.ports)
    .withHealthCheck({ test: ['CMD-SHELL', plan.healthCheck], interval: 1000, timeout: 10_000, retries: 120 })
    .withWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(START_MS)
    .withAutoCleanup(false)
  if (plan.entrypoint) container.withEntrypoint([...plan.entrypoint])
  if (plan.command) container.withCommand([...plan.command])
  if (plan.files) container.withCopyContentToContainer(plan.files.map((file) => ({ ...file, mode: 0o644 })))
  const started = await container.start()
  for (const command of plan.settle ?? []) {
    const { exitCode, output } = await started.exec([...command])
    if (exitCode !== 0) throw new Error(`${server.name} runs, but ${command[0]} ended with ${exitCode}:\n${output}`)
  }
}

function writeClientFiles({ clientFiles = {} }: ContainerPlan, directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, content] of Object.entries(clientFiles)) writeFileSync(join(directory, name), content)
}

function explain(cause: unknown): never {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
  if (!missing) throw cause
  const how = `npm install --no-save ${PACKAGE}@${VERSION}`
  throw new Error(`MILLRACE_INFRA=containers needs the package ${PACKAGE}, which is not installed: ${how}, or leave MILLRACE_INFRA out`, { cause })
}
