import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { run } from '@millrace/platform/run.ts'
import type { z } from 'zod'
import { keptKeysIn } from '../../services/all-in-one/src/kept-keys.ts'
import { readRuntime, removeRuntime, writeRuntime } from '../../services/all-in-one/src/runtime-file.ts'
import { tellStart } from '../../services/all-in-one/src/tell-start.ts'
import { isTaken } from '../infra/ask.ts'
import { keepServiceKeys } from '../keys/service-keys.ts'
import { findInfrastructure } from './infrastructure.ts'
import { openProcessList } from './leftovers.ts'
import { type Member, planCluster, serviceNames } from './plan.ts'
import { logFolder, runMembers, waitUntilReady } from './run-members.ts'
import { clusterSettings } from './settings.ts'

const root = join(import.meta.dirname, '..', '..')
/** Three waves of members, each with a grace of its own. */
const STOP_WITHIN_MS = 29_000

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function refuseSecond(dataRoot: string): Promise<void> {
  const runtime = await readRuntime(dataRoot)
  if (runtime) throw new AppError('RESOURCE_CONFLICT', `A Millrace runs on ${dataRoot} already (process ${runtime.pid}): npm run stop stops it.`)
}

/** The ports of a process that was killed are free a moment after its end. */
const FREED_WITHIN_MS = 3000

async function takenPorts(members: readonly Member[]): Promise<string[]> {
  const taken = await Promise.all(members.map(({ port }) => isTaken(port)))
  return members.filter((_, index) => taken[index]).map(({ name, port }) => `${port} (for ${name})`)
}

async function refuseTakenPorts(members: readonly Member[], patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs
  let names = await takenPorts(members)
  while (names.length > 0 && performance.now() < until) {
    await pause(50)
    names = await takenPorts(members)
  }
  if (names.length > 0) throw new AppError('RESOURCE_CONFLICT', `Ports are taken: ${names.join(', ')}. Set PORT or CLUSTER_BASE_PORT to others.`)
}

function provision(env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/provision/provision.ts')], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new AppError('TEMPORARILY_UNAVAILABLE', 'Topics, tables or the bucket could not be prepared: see above.')
}

async function startCluster(config: z.infer<typeof clusterSettings>, lifetime: Lifetime, signal: AbortSignal): Promise<void> {
  const { MILLRACE_DATA: dataRoot, HOST: host, PORT: port, CLUSTER_BASE_PORT: basePort, CLUSTER_COPIES: copies } = config
  await refuseSecond(dataRoot)
  const directory = join(dataRoot, 'cluster')
  const datasets = join(dataRoot, 'datasets')
  for (const path of [directory, datasets, join(dataRoot, 'backbones')]) mkdirSync(path, { recursive: true })
  const members = planCluster({ host, port, basePort, copies, dataRoot })
  const list = openProcessList(join(directory, 'processes.json'))
  const left = await list.endLeftovers()
  if (left.length > 0) say(`Ended what an earlier cluster left behind: ${left.join(', ')}`)
  await refuseTakenPorts(members, left.length > 0 ? FREED_WITHIN_MS : 0)
  const shared: NodeJS.ProcessEnv = { ...process.env, ...findInfrastructure(root, process.env, say) }
  provision(shared)
  const keysOf = keepServiceKeys(join(directory, 'keys'), serviceNames)
  const begun = performance.now()
  const keptKeys = await keptKeysIn(directory, process.env)
  const environmentOf = (service: string) => ({ ...shared, ...keysOf(service), ...(service === 'registry' || service === 'inference' ? keptKeys : {}) })
  await lifetime.start(runMembers({ root, directory, members, list, environmentOf, say }))
  await waitUntilReady(members, directory, signal)
  say(`${members.length} processes are ready after ${((performance.now() - begun) / 1000).toFixed(1)} s; their logs are in ${logFolder(directory)}`)
  const [url = ''] = members.filter(({ name }) => name === 'gateway-1').map((member) => member.url)
  const services = Object.fromEntries(members.filter((member) => member.url !== url).map((member) => [member.name, member.url]))
  await writeRuntime(dataRoot, { pid: process.pid, url, startedAt: new Date().toISOString(), services })
  lifetime.onStop(() => removeRuntime(dataRoot))
  const { MILLRACE_SKIP_SAMPLE: skipSample, MILLRACE_ADMIN_KEY: apiKey } = config
  await tellStart({ url, directory: { root: dataRoot, datasets, log: logFolder(directory) }, skipSample, apiKey, signal })
}

run(
  async (signal): Promise<Started<null>> => {
    const lifetime = new Lifetime()
    try {
      await startCluster(readConfig(clusterSettings, process.env), lifetime, signal)
      return { value: null, stop: () => lifetime.stop() }
    } catch (error) {
      await lifetime.stop().catch(() => undefined)
      throw error
    }
  },
  { stopWithinMs: STOP_WITHIN_MS },
)
