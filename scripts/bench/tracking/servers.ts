import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Started } from '@millrace/platform/component.ts'
import { createIdentity } from '@millrace/platform/http/signed-identity.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { serviceNames } from '../../cluster/plan.ts'
import { isTaken } from '../../infra/ask.ts'
import { keepServiceKeys } from '../../keys/service-keys.ts'
import { type Place, root } from '../place.ts'
import { openTarget, type Target } from './target.ts'

/** A server that is measured. */
export interface Measured {
  readonly target: Target
  readonly pid: number
}

interface Command {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly port: number
}

/** Runs a server until it listens. @throws Error with its last words */
async function run(place: Place, { name, command, args, env, port }: Command): Promise<Started<ChildProcess>> {
  mkdirSync(place.directory, { recursive: true })
  const log = join(place.directory, `${name}.log`)
  const output = openSync(log, 'a')
  const child = spawn(command, args, { cwd: place.directory, env, stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  const killAll = (): void => {
    // Workers of the reference server are in its group.
    if (child.pid) process.kill(-child.pid, 'SIGTERM')
  }
  process.once('exit', killAll)
  const stop = async (): Promise<void> => {
    process.removeListener('exit', killAll)
    if (child.exitCode !== null) return
    killAll()
    await once(child, 'exit')
  }
  await until(async () => child.exitCode !== null || (await isTaken(port)), { timeoutMs: 120_000, everyMs: 100 }).catch(() => undefined)
  if (child.exitCode === null && (await isTaken(port))) return { value: child, stop }
  await stop()
  throw new Error(`${name} did not start:\n${readFileSync(log, 'utf8').slice(-3000)}`)
}

async function measured({ value, stop }: Started<ChildProcess>, port: number, authorize: () => Promise<Record<string, string>>): Promise<Started<Measured>> {
  const target = openTarget(`http://127.0.0.1:${port}`, authorize)
  return { value: { target, pid: value.pid ?? 0 }, stop: () => target.close().then(stop) }
}

/** One process of the tracking service, as the distributed mode runs it. */
export async function startTracking(place: Place, infrastructure: Readonly<Record<string, string>>): Promise<Started<Measured>> {
  const port = Number(place.env['PORT'])
  const keysOf = keepServiceKeys(join(place.directory, 'keys'), serviceNames)
  const env = { ...place.env, ...infrastructure, ...keysOf('tracking'), LOG_LEVEL: 'warn' }
  const started = await run(place, { name: 'tracking', command: process.execPath, args: [join(root, 'services/tracking/src/main.ts')], env, port })
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
  const files = keysOf('gateway')
  const identity = createIdentity({ service: 'gateway', privateKeyJwk: read(files.SERVICE_PRIVATE_KEY_FILE), publicJwks: read(files.SERVICE_PUBLIC_KEYS_FILE) })
  const authorize = async () => ({ authorization: `Bearer ${await identity.sign('tracking', { user: 'bench', role: 'admin' })}` })
  return measured(started, port, authorize)
}

/** Millrace in one process with its embedded database, through its gateway. */
export async function startAllInOne(place: Place): Promise<Started<Measured>> {
  const port = Number(place.env['PORT']) + 1
  const env = { ...place.env, PORT: String(port), MILLRACE_DATA: join(place.directory, 'all-in-one'), MILLRACE_SKIP_SAMPLE: 'true', GATEWAY_RATE_LIMIT: '0' }
  const started = await run(place, { name: 'all-in-one', command: process.execPath, args: [join(root, 'services/all-in-one/src/main.ts')], env, port })
  return measured(started, port, async () => ({}))
}

/** The reference server, one worker, on the same PostgreSQL. `program` is its `mlflow` command. */
export async function startReference(place: Place, program: string, databaseUrl: string): Promise<Started<Measured>> {
  const port = Number(place.env['PORT']) + 2
  const store = databaseUrl.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:')
  const args = [
    'server',
    '--backend-store-uri',
    store,
    '--artifacts-destination',
    join(place.directory, 'reference-artifacts'),
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--workers',
    '1',
  ]
  // Its own number of connections is too small for sixteen clients: requests fail that wait for one.
  const pool = { MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: '32', MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: '32' }
  const env = { ...place.env, ...pool, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' }
  const started = await run(place, { name: 'reference', command: program, args, env, port })
  return measured(started, port, async () => ({}))
}
