import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ServerName } from '../../infra/settings.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const PROGRAM = join(root, 'scripts', 'infra', 'infra.ts')

/** Kafka, PostgreSQL, Redis and S3 of one test worker, to be stopped and started at will: no other test feels it. */
export interface Infrastructure {
  /** How services reach the four servers. */
  readonly env: Readonly<Record<string, string>>
  up(...servers: ServerName[]): Promise<void>
  down(...servers: ServerName[]): Promise<void>
  /** Sends a signal to the server's process, such as SIGKILL; what was written to disk is there when it is started again. */
  signal(server: ServerName, signal: NodeJS.Signals): void
}

/** @throws Error where the setting is not there */
export function requireSetting(env: Readonly<Record<string, string>>, name: string): string {
  const value = Object.entries(env).find(([key]) => key === name)?.[1]
  if (value === undefined) throw new Error(`${name} is not set: the servers for the tests did not start`)
  return value
}

export const directoryOf = (slot: number): string => join(root, '.millrace', 'fault', String(slot))

/** Directory and ports of a worker; FAULT_BASE_PORT moves them all. */
export function slotEnvironment(slot: number): Readonly<Record<string, string>> {
  const base = Number(process.env['FAULT_BASE_PORT'] || 21_000) + slot * 10
  const ports = { KAFKA: 0, KAFKA_CONTROLLER: 1, KAFKA_SECURE: 2, POSTGRES: 4, REDIS: 5, S3: 6 }
  return {
    MILLRACE_INFRA_DIR: directoryOf(slot),
    ...Object.fromEntries(Object.entries(ports).map(([name, offset]) => [`MILLRACE_${name}_PORT`, String(base + offset)])),
  }
}

/** Runs `scripts/infra`; answers the environment lines that it prints. */
export async function callInfra(slot: number, ...args: string[]): Promise<Readonly<Record<string, string>>> {
  const env = { ...process.env, ...slotEnvironment(slot) }
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], { env, cwd: root })
  const lines = stdout.split('\n').filter((line) => line.includes('='))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** The servers of this test worker; started unless they run. They go on running for the worker's next test file. */
export async function startInfrastructure(): Promise<Infrastructure> {
  const slot = Number(process.env['VITEST_POOL_ID'] || 1)
  const env = await callInfra(slot, 'up')
  const directory = directoryOf(slot)
  return {
    env,
    up: async (...servers) => void (await callInfra(slot, 'up', ...servers)),
    down: async (...servers) => void (await callInfra(slot, 'down', ...servers)),
    signal(server, signal) {
      process.kill(JSON.parse(readFileSync(join(directory, server, 'server.pid'), 'utf8')).pid, signal)
    },
  }
}
