import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openProcessList } from '../cluster/leftovers.ts'

export const root = join(import.meta.dirname, '..', '..')

/** Folders and ports of the benchmark, apart from those of anything else that runs here. */
export interface Place {
  readonly directory: string
  readonly dataRoot: string
  /** For `scripts/infra` and `scripts/cluster`. */
  readonly env: NodeJS.ProcessEnv
}

const OFFSETS = { MILLRACE_KAFKA_PORT: 0, MILLRACE_POSTGRES_PORT: 4, MILLRACE_REDIS_PORT: 5, MILLRACE_S3_PORT: 6, PORT: 10, CLUSTER_BASE_PORT: 20 }
/** Somebody's own servers are not to be measured, nor filled. */
const NOT_OURS = ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL', 'S3_BUCKET', 'MILLRACE_ADMIN_KEY', 'HOST']

/** BENCH_BASE_PORT moves all ports. */
export function choosePlace(env: NodeJS.ProcessEnv): Place {
  const directory = join(root, '.millrace', 'bench')
  const dataRoot = join(directory, 'data')
  const base = Number(env['BENCH_BASE_PORT'] || 23_000)
  const ports = Object.fromEntries(Object.entries(OFFSETS).map(([name, offset]) => [name, String(base + offset)]))
  const own = { ...ports, MILLRACE_INFRA_DIR: join(directory, 'infra'), MILLRACE_DATA: dataRoot, MILLRACE_SKIP_SAMPLE: 'true', NODE_NO_WARNINGS: '1' }
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_OURS.includes(name)))
  return { directory, dataRoot, env: { ...others, ...own } }
}

/** Runs `scripts/infra`. */
export async function callInfra({ env }: Place, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/infra/infra.ts'), ...args], { cwd: root, env })
}

/** Ends what a killed benchmark left running, and removes what the one before measured with. */
export async function clear(place: Place): Promise<void> {
  await openProcessList(join(place.dataRoot, 'cluster', 'processes.json')).endLeftovers()
  await callInfra(place, 'down')
  await rm(place.directory, { recursive: true, force: true })
}
