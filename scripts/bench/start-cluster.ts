import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Started } from '@millrace/platform/component.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { createIdentity } from '@millrace/platform/http/signed-identity.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { readRuntime } from '../../services/all-in-one/src/runtime-file.ts'
import { serviceNames } from '../cluster/plan.ts'
import { keepServiceKeys } from '../keys/service-keys.ts'
import { type Place, root } from './place.ts'

/** The whole platform: two processes of every service. */
export interface Cluster {
  readonly gatewayUrl: string
  readonly registryUrl: string
  readonly pods: readonly { readonly name: string; readonly url: string }[]
  /** To ask a pod without the gateway, as the gateway does. */
  readonly identity: ServiceIdentity
}

/** Runs `scripts/cluster` on servers that are up. @throws Error with its last words when it does not come up */
export async function startCluster(place: Place): Promise<Started<Cluster>> {
  mkdirSync(place.directory, { recursive: true })
  const log = join(place.directory, 'cluster.log')
  const output = openSync(log, 'a')
  const child = spawn(process.execPath, [join(root, 'scripts/cluster/cluster.ts')], {
    cwd: root,
    env: place.env,
    stdio: ['ignore', output, output],
    detached: true,
  })
  closeSync(output)
  // It stops what it runs itself, also where nobody waits for it any more.
  process.once('exit', () => child.kill('SIGTERM'))
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  const runtime = await until(async () => child.exitCode !== null || readRuntime(place.dataRoot), { timeoutMs: 180_000, everyMs: 50 }).catch(() => true)
  if (typeof runtime === 'boolean') {
    await stop()
    throw new Error(`the cluster did not start:\n${readFileSync(log, 'utf8').slice(-4000)}`)
  }
  const { url, services } = runtime
  const pods = Object.entries(services).flatMap(([name, podUrl]) => (name.startsWith('inference-') ? [{ name, url: podUrl }] : []))
  return { value: { gatewayUrl: url, registryUrl: services['registry-1'] ?? '', pods, identity: gatewayIdentity(place) }, stop }
}

function gatewayIdentity({ dataRoot }: Place): ServiceIdentity {
  const files = keepServiceKeys(join(dataRoot, 'cluster', 'keys'), serviceNames)('gateway')
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
  return createIdentity({ service: 'gateway', privateKeyJwk: read(files.SERVICE_PRIVATE_KEY_FILE), publicJwks: read(files.SERVICE_PUBLIC_KEYS_FILE) })
}
