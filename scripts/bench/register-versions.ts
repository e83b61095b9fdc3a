import { type Client, createClient } from '../fault/harness/client.ts'
import { createModel, logModel, registerRun } from '../fault/harness/model-life.ts'
import { scaleModel } from '../fault/harness/models.ts'
import type { Cluster } from './start-cluster.ts'

const AT_ONCE = 8

/** A client of the public address alone, whichever service an address belongs to. */
export function publicClient({ gatewayUrl, identity }: Cluster): Client {
  const client = createClient(
    () => [gatewayUrl],
    () => identity,
  )
  return {
    ...client,
    send: (_service, ...rest) => client.send('gateway', ...rest),
    write: (key, _service, ...rest) => client.write(key, 'gateway', ...rest),
  }
}

/** Registers versions 1 to `count`, each with files of its own; version v computes v * x + 1. */
export async function registerVersions(client: Client, model: string, count: number): Promise<void> {
  await createModel(client, model)
  const factors = Array.from({ length: count }, (_, index) => index + 1)
  for (let first = 0; first < count; first += AT_ONCE) {
    const runs = await Promise.all(factors.slice(first, first + AT_ONCE).map((factor) => logModel(client, scaleModel(factor))))
    // One after another: the number of a version is the place of its turn.
    for (const runId of runs) await registerRun(client, model, runId)
  }
}
