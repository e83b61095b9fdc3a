import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { findInfrastructure } from '../../cluster/infrastructure.ts'
import { createModel, logModel, promote, registerRun } from '../../fault/harness/model-life.ts'
import { callInfra, type Place, root } from '../place.ts'
import { publicClient } from '../register-versions.ts'
import { type Cluster, startCluster } from '../start-cluster.ts'
import type { BenchModel } from './models.ts'
import { processesMarked, type Usage, usageOf } from './server-process.ts'

export interface Millrace {
  readonly gatewayUrl: string
  /** Of gateway and pod together. */
  usage(): Usage
  /** Logs, registers and promotes a network; resolves when the gateway answers with it. */
  serve(model: BenchModel): Promise<void>
  /** A new version of it in Production, with other bytes. */
  swap(model: BenchModel): Promise<void>
}

const SETTINGS = {
  CLUSTER_COPIES: '1',
  /** Every answer is computed: what a cache answers says nothing about serving. */
  INFERENCE_CACHE_TTL_MS: '0',
  INFERENCE_LOG_SAMPLE_RATE: '0.01',
  GATEWAY_RATE_LIMIT: '0',
}

/** The whole platform on servers of its own, one process of every service. */
export async function startMillrace(place: Place, say: (line: string) => void): Promise<Started<Millrace>> {
  const lifetime = new Lifetime()
  lifetime.onStop(() => callInfra(place, 'down'))
  const mark = `bench-serving-${process.pid}`
  const env = { ...place.env, ...SETTINGS, BENCH_SERVER: mark }
  try {
    findInfrastructure(root, env, say)
    const cluster = await lifetime.start(startCluster({ ...place, env }))
    return { value: operate(cluster, mark), stop: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

function operate(cluster: Cluster, mark: string): Millrace {
  const client = publicClient(cluster)
  let runs = 0
  const enter = async ({ name, onnx }: BenchModel): Promise<void> => {
    runs += 1
    const runId = await logModel(client, { 'model.onnx': Buffer.from(onnx), 'note.txt': Buffer.from(String(runs)) })
    const version = await registerRun(client, name, runId)
    const answer = await promote(client, name, version)
    if (answer.status !== 200) throw new Error(`promotion of ${name}: ${JSON.stringify(answer.body)}`)
    const at = `${cluster.gatewayUrl}/v2/models/${name}/versions/${version}/ready`
    await until(async () => (await fetch(at)).ok, { timeoutMs: 60_000, everyMs: 20 })
  }
  return {
    gatewayUrl: cluster.gatewayUrl,
    usage: () => usageOf([...processesMarked(`BENCH_SERVER=${mark}`, 'services/gateway/'), ...processesMarked(`BENCH_SERVER=${mark}`, 'services/inference/')]),
    async serve(model) {
      await createModel(client, model.name)
      await enter(model)
    },
    swap: enter,
  }
}
