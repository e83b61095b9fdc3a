import { setTimeout as pause } from 'node:timers/promises'
import { servingSnapshot } from '@millrace/contracts/http/registry.ts'
import { z } from 'zod'
import type { Client } from '../fault/harness/client.ts'
import { okay } from '../fault/harness/model-life.ts'
import { type LoadReport, prediction, type Reign, reportLoad } from './load-report.ts'
import { startPart } from './part.ts'
import { type Spread, spreadOf } from './percentile.ts'
import type { Plan } from './plan.ts'
import { createAgent, predict } from './predict.ts'
import { readActivations } from './read-activations.ts'
import { publicClient, registerVersions } from './register-versions.ts'
import type { Cluster } from './start-cluster.ts'

const MODEL = 'bench'
const GIVE_UP_MS = 30_000
const WARM_UP_MS = 1000
/** Between two questions to one pod: as exact as the measurement is, and little beside the load. */
const PROBE_PAUSE_MS = 2

export interface PromotionFigures {
  readonly promotions: number
  readonly pods: number
  /** From the registry's commit to the first answer by the new version on the last of the pods, in milliseconds. */
  readonly everyPodMs: Spread
  readonly samplesMs: readonly number[]
  /** The part of it that a pod takes to fetch, try and open the version, and to warm it up, as the pods tell it. */
  readonly loadingMs: Spread
  readonly load: LoadReport
}

export interface Running {
  readonly cluster: Cluster
  /** Names its brokers. */
  readonly env: NodeJS.ProcessEnv
}

interface Watch {
  readonly cluster: Cluster
  readonly client: Client
  readonly agent: ReturnType<typeof createAgent>
}

/** Promotes one version after another, each new to the pods, while predictions run through the gateway. */
export async function measurePromotions({ cluster, env }: Running, plan: Plan, say: (line: string) => void): Promise<PromotionFigures> {
  const client = publicClient(cluster)
  const watch = { cluster, client, agent: createAgent() }
  say(`registering ${plan.promotions + 1} versions`)
  await registerVersions(client, MODEL, plan.promotions + 1)
  await promote(watch, '1')
  const load = await startPart('load-part.ts', process.env)
  await load.value.ask('start', z.unknown(), { url: cluster.gatewayUrl, model: MODEL, perSecond: plan.predictionsPerSecond })
  await pause(WARM_UP_MS)
  say(`promoting ${plan.promotions} versions under ${plan.predictionsPerSecond} predictions per second`)
  const promoted: { reign: Reign; tookMs: number }[] = []
  for (let version = 2; version <= plan.promotions + 1; version += 1) {
    promoted.push(await promote(watch, String(version), plan.pauseMs))
  }
  const predictions = await load.value.ask('stop', z.array(prediction))
  await load.stop()
  watch.agent.destroy()
  const samplesMs = promoted.map(({ tookMs }) => tookMs)
  const report = reportLoad(
    predictions,
    promoted.map(({ reign }) => reign),
  )
  const loadingMs = spreadOf((await readActivations(env, MODEL)).map(({ loadMs, warmUpMs }) => loadMs + warmUpMs))
  return { promotions: plan.promotions, pods: cluster.pods.length, everyPodMs: spreadOf(samplesMs), samplesMs, loadingMs, load: report }
}

async function promote(watch: Watch, version: string, pauseMs = 0): Promise<{ reign: Reign; tookMs: number }> {
  const seen = watch.cluster.pods.map(({ url }) => untilAnswers(watch, url, version))
  const body = { name: MODEL, version, stage: 'Production', archive_existing_versions: true }
  const answer = watch.client.send('gateway', 'POST', '/api/2.0/mlflow/model-versions/transition-stage', { body })
  okay(await answer, `promotion of version ${version}`)
  const everywhereMs = Math.max(...(await Promise.all(seen)))
  const changedMs = await readChangedMs(watch.cluster, version)
  await pause(pauseMs)
  return { reign: { version, everywhereMs, nextMs: Date.now() }, tookMs: everywhereMs - changedMs }
}

/** Asks a pod again and again until it answers with the version; resolves with the time of that answer. */
async function untilAnswers({ cluster, agent }: Watch, url: string, version: string): Promise<number> {
  const deadline = Date.now() + GIVE_UP_MS
  const token = await tokenFor(cluster)
  for (let n = Number(version) * 1000; Date.now() < deadline; n += 1) {
    const answered = await predict(agent, { url, model: MODEL, token }, n)
    if (answered.kind === 'ok' && answered.version === version) return Date.now()
    await pause(PROBE_PAUSE_MS)
  }
  throw new Error(`${url} does not answer with version ${version} within ${GIVE_UP_MS / 1000} s`)
}

const tokenFor = ({ identity }: Cluster): Promise<string> => identity.sign('inference', { user: 'bench', role: 'admin' })

/** When the registry committed what it says is served now, by its own clock, which is this machine's. */
async function readChangedMs({ registryUrl, identity }: Cluster, version: string): Promise<number> {
  const token = await identity.sign('registry', { user: 'bench', role: 'admin' })
  const answer = await fetch(`${registryUrl}/api/v1/serving-state`, { headers: { authorization: `Bearer ${token}` } })
  const state = servingSnapshot.parse(await answer.json()).states.find(({ model }) => model === MODEL)
  if (state?.production?.version !== version) throw new Error(`the registry serves version ${state?.production?.version}, not ${version}`)
  return Date.parse(state.changedAt)
}
