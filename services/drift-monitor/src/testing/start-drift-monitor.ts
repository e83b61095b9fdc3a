import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import { type DriftPolicy, defaultDriftPolicy, driftStatus } from '@millrace/contracts/http/drift.ts'
import { canonicalManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import type { ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { decodeRecord, encodeFor } from '@millrace/platform/events/cloudevents.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { onTestFinished } from 'vitest'
import { createDriftMonitor, driftMonitorConfig, migrations } from '../service.ts'

export const MODEL = 'fish'
const START_MS = Date.parse('2026-01-05T12:00:00.000Z')

async function openBlobs(): Promise<Blobs> {
  const directory = await mkdtemp(join(tmpdir(), 'drift-monitor-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return createFolderBlobs({ root: directory })
}

/** Stores an artifact with the files given and answers the digest of its manifest. */
async function sealArtifact(blobs: Blobs, contents: Readonly<Record<string, unknown>>): Promise<string> {
  const files = await Promise.all(
    Object.entries(contents).map(async ([path, content]) => {
      const stored = await blobs.put(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)))
      return { path, sizeBytes: stored.sizeBytes, sha256: stored.sha256 }
    }),
  )
  return (await blobs.put(Buffer.from(canonicalManifest(files)))).sha256
}

const tensor = { name: 'x', datatype: 'FP32', shape: [-1] }

/** A `millrace-model.json` that names `referenceProfile`. */
export const specNaming = (referenceProfile: string | null) => ({
  schemaVersion: 1,
  task: 'image-classification',
  format: 'onnx',
  chain: [{ file: 'model.onnx' }],
  signature: { inputs: [tensor], outputs: [tensor] },
  labels: null,
  preprocessing: null,
  inputExample: null,
  parity: null,
  referenceProfile,
})

/** One categorical feature: pike and perch, half and half. */
export const profile = (categories: readonly string[] = ['pike', 'perch']): ReferenceProfile => ({
  schemaVersion: 1,
  datasetDigest: 'data',
  split: 'test',
  rows: 1000,
  features: [
    { kind: 'categorical', name: 'predicted_class', categories: [...categories], counts: categories.map(() => 1000 / categories.length), other: 0, missing: 0 },
  ],
})

export const policy: DriftPolicy = { ...defaultDriftPolicy, windowMs: 1000, latenessMs: 0, minWindowRows: 100 }

/** The whole service on in-memory adapters. */
export async function startDriftMonitor() {
  const ring = createKeyRing(['gateway', 'drift-monitor'])
  const database = watchCommits(await freshDatabase(migrations))
  const eventLog = createMemoryLog()
  const blobs = await openBlobs()
  const common = { log: silentLog, clock: systemClock, metrics: createMetrics('drift-monitor'), database, eventLog, identity: ring.identityOf('drift-monitor') }
  const publish = createPublish({ source: '/millrace/drift-monitor', clock: systemClock, newId: newUuidV7 })
  const config = driftMonitorConfig.parse({ DRIFT_COUNT_EVERY_MS: 0 })
  const start = () => {
    const service = createDriftMonitor({ ...common, newId: newUuidV7, publish, blobs, config })
    return startService({ ...common, service, host: '127.0.0.1', port: 0, shutdownGraceMs: 500 })
  }
  let started = await start()
  onTestFinished(() => started.stop())
  const send = async (path: string, init: RequestInit & { role?: 'viewer' | 'user' | 'editor' } = {}) => {
    const token = await ring.identityOf('gateway').sign('drift-monitor', { user: 'ana', role: init.role ?? 'editor' })
    return fetch(`${started.value.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers } })
  }
  const traffic = createTraffic(eventLog)
  return {
    blobs,
    database,
    send,
    ...traffic,
    /** Puts a version with these files into production. */
    async promote(version: string, generation: number, files: Readonly<Record<string, unknown>>) {
      const sha256 = await sealArtifact(blobs, files)
      await traffic.setProduction(generation, { version, runId: null, signature: null, artifact: { uri: 'blob', sha256, sizeBytes: 1, format: 'onnx' } })
    },
    status: async () => driftStatus.parse(await (await send(`/api/v1/drift/models/${MODEL}`)).json()),
    setPolicy: (changed: Partial<DriftPolicy> = {}) =>
      send(`/api/v1/drift/policies/${MODEL}`, { method: 'PUT', body: JSON.stringify({ ...policy, ...changed }) }),
    /** Types of the drift events published so far, with their data. */
    async published() {
      const records = await eventLog.readToEnd('millrace.drift-events.v1')
      return records.flatMap((record) => {
        const decoded = decodeRecord(record)
        return decoded.kind === 'event' ? [decoded.event] : []
      })
    },
    async restart() {
      await started.stop()
      started = await start()
    },
  }
}

function createTraffic(eventLog: ReturnType<typeof createMemoryLog>) {
  let sent = 0
  const envelope = (subject: string, data: unknown) => ({ id: newUuidV7(), source: '/test', subject, time: new Date(), extensions: {}, data })
  return {
    async setProduction(generation: number, production: unknown) {
      const data = { model: MODEL, generation, salt: null, production, candidates: [], changedAt: new Date().toISOString() }
      await eventLog.publish(servingStateChanged.topic, [encodeFor(servingStateChanged, envelope(MODEL, data))])
    },
    /** Logs `rows` predictions in second `second` of the story; answers their ids. */
    async predict(
      second: number,
      rows: number,
      options: { classOf: (index: number) => string; version?: string; generation?: number; arm?: string },
    ): Promise<string[]> {
      const { classOf, version = '1', generation = 1, arm = 'production' } = options
      const ids = Array.from({ length: rows }, () => `prediction-${++sent}`)
      const records = ids.map((predictionId, index) => {
        const predictedAt = new Date(START_MS + second * 1000 + Math.floor((index * 999) / rows)).toISOString()
        const served = { pod: 'pod', model: MODEL, version, generation, arm, sampleRate: 1, cached: false, latencyMs: 1 }
        const data = { predictionId, ...served, predictedClass: classOf(index), confidence: 0.9, features: {}, predictedAt }
        return encodeFor(inferenceLogged, envelope(`${MODEL}/${predictionId}`, data))
      })
      await eventLog.publish(inferenceLogged.topic, records)
      return ids
    },
  }
}
