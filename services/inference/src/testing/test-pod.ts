import { join } from 'node:path'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { type ServingState, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import type { TopicName } from '@millrace/contracts/events/topics.ts'
import { servedModels } from '@millrace/contracts/http/inference.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { createLruCache } from '@millrace/platform/cache/lru.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { decodeRecord, encodeFor } from '@millrace/platform/events/cloudevents.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { startService } from '@millrace/platform/host.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { type Log, silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { onTestFinished } from 'vitest'
import { type InferenceConfig, inferenceConfig } from '../config.ts'
import type { InferenceDeps } from '../deps.ts'
import { createInference } from '../service.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { sealArtifact } from './test-model.ts'

/** What outlives a pod: its disk, the artifact store, the log and the registry. */
export async function createWorld() {
  const directory = await temporaryDirectory()
  const blobs = await createFolderBlobs({ root: join(directory, 'blobs') })
  const eventLog = createMemoryLog()
  const registry = { states: new Map<string, ServingState>(), away: false, asked: 0 }
  return {
    directory,
    blobs,
    eventLog,
    registry,
    seal: (files: Record<string, Uint8Array>) => sealArtifact(blobs, files),
    /** As the registry does: its own table, then the topic. */
    async publish(state: ServingState): Promise<void> {
      registry.states.set(state.model, state)
      const record = { id: newUuidV7(), source: '/millrace/registry', subject: state.model, time: new Date(), extensions: {}, data: state }
      await eventLog.publish(servingStateChanged.topic, [encodeFor(servingStateChanged, record)])
    },
    async events(topic: TopicName, name: string): Promise<Record<string, unknown>[]> {
      const records = await eventLog.readToEnd(topic)
      return records.flatMap((record) => {
        const decoded = decodeRecord(record)
        return decoded.kind === 'event' && decoded.event.type.includes(name) ? [{ ...Object(decoded.event.data) }] : []
      })
    },
  }
}
export type World = Awaited<ReturnType<typeof createWorld>>

interface StateOptions {
  generation: number
  production?: [version: string, artifact: Artifact] | null
  candidates?: [version: string, artifact: Artifact, mode: string, weightPercent: number][]
}

export const stateOf = (model: string, { generation, production = null, candidates = [] }: StateOptions): ServingState => ({
  model,
  generation,
  salt: 'salt',
  production: production && { version: production[0], runId: null, artifact: production[1], signature: null },
  candidates: candidates.map(([version, artifact, mode, weightPercent]) => ({ version, runId: null, artifact, mode, weightPercent })),
  changedAt: new Date().toISOString(),
})

export interface PodOptions {
  config?: Partial<InferenceConfig>
  deps?: Partial<InferenceDeps>
  log?: Log
}

const ring = createKeyRing(['inference', 'gateway'])

/** A whole pod on in-memory adapters, over HTTP. */
export async function startTestPod(world: World, { config, deps, log = silentLog }: PodOptions = {}) {
  const metrics = createMetrics('inference')
  const service = createInference({
    log,
    clock: systemClock,
    newId: newUuidV7,
    metrics,
    blobs: world.blobs,
    cache: createLruCache({ maxBytes: 10_000_000 }),
    eventLog: world.eventLog,
    registry: fakeRegistry(world),
    identity: ring.identityOf('inference'),
    config: {
      ...inferenceConfig.parse({ INFERENCE_CACHE_DIR: join(world.directory, 'pod'), INFERENCE_RECONCILE_MS: 60_000, INFERENCE_THREADS: 1 }),
      ...config,
    },
    ...deps,
  })
  const options = { service, host: '127.0.0.1', port: 0, database: null, eventLog: world.eventLog, identity: ring.identityOf('inference') }
  const started = await startService({ ...options, log, metrics, clock: systemClock, shutdownGraceMs: 1000 })
  let stopping: Promise<void> | null = null
  const stop = () => (stopping ??= started.stop())
  onTestFinished(stop)
  const url = started.value.url
  const call = async (path: string, init: RequestInit = {}, role: Role = 'user'): Promise<Response> => {
    const token = await ring.identityOf('gateway').sign('inference', { user: 'ada', role })
    return fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(init.headers)) } })
  }
  return {
    url,
    call,
    metrics,
    stop,
    /** The job that ends a window of counts. */
    publishCounts: () => service.jobs.find(({ name }) => name === 'observe-arms')?.run(new AbortController().signal),
    token: (role: Role = 'user') => ring.identityOf('gateway').sign('inference', { user: 'ada', role }),
    async models() {
      return servedModels.parse(await (await call('/api/v1/serving/models')).json()).models
    },
    /** Waits until the version answers in the arm. */
    serves: (model: string, version: string, arm = 'production') =>
      until(async () => {
        const { models } = servedModels.parse(await (await call('/api/v1/serving/models')).json())
        return models.find((served) => served.model === model && served.version === version && served.arm === arm && served.state === 'ready')
      }),
  }
}
export type TestPod = Awaited<ReturnType<typeof startTestPod>>

function fakeRegistry({ registry }: World): InferenceDeps['registry'] {
  return {
    async ifChanged({ etag, response }) {
      registry.asked++
      if (registry.away) throw new TransientError('the registry is away')
      const tag = JSON.stringify([...registry.states.values()].map(({ model, generation }) => [model, generation]))
      return etag === tag ? null : { body: response.parse({ states: [...registry.states.values()] }), etag: tag }
    },
  }
}
