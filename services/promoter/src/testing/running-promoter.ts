import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventDefinition } from '@millrace/contracts/events/event.ts'
import { policyResponse, promotionDecision } from '@millrace/contracts/http/promoter.ts'
import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { decodeRecord, encodeFor } from '@millrace/platform/events/cloudevents.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type PromoterConfig, promoterConfig } from '../config.ts'
import { createPromoter, migrations } from '../service.ts'
import { type Call, FakeRegistry, fakeClient, fakeTracking } from './fake-siblings.ts'
import { doublingSignature, type ModelOptions, storeModel } from './stored-model.ts'

interface VersionOptions extends ModelOptions {
  readonly servable?: boolean
  readonly metrics?: Record<string, number>
  readonly tags?: Record<string, string>
  readonly evaluation?: Evaluation | null
}

export const answered = (predicted: readonly string[], datasetDigest = 'digest-1'): Evaluation => ({
  ...{ datasetDigest, split: 'test', classes: ['a', 'b'] },
  rows: predicted.map((value, index) => ({ id: `test/a/${index}.jpg`, actual: 'a', predicted: value, confidence: 1 })),
})

export const datasetTags = { 'millrace.dataset.path': '/data/fish', 'millrace.dataset.digest': 'digest-1' }

const decision = promotionDecision.extend({ promotedGeneration: z.int().nullable() })
type Decision = z.infer<typeof decision>

/** A whole promoter over HTTP and a memory log, with siblings made of functions; it ends with the test. */
export async function runningPromoter(options: { config?: Partial<PromoterConfig>; trainer?: (call: Call) => unknown } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'promoter-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const blobs = await createFolderBlobs({ root: folder })
  const registry = new FakeRegistry()
  const runs = new Map<string, { metrics: Record<string, number>; tags: Record<string, string>; evaluation: Evaluation | null }>()
  const trainer = fakeClient(options.trainer ?? (() => ({ evaluationId: 'e', state: 'succeeded', message: '', evaluation: answered(['a', 'a', 'b', 'a']) })))
  const database = watchCommits(await freshDatabase(migrations))
  const eventLog = createMemoryLog()
  const clock = systemClock
  const metrics = createMetrics('promoter')
  const publish = createPublish({ source: '/millrace/promoter', clock, newId: newUuidV7 })
  const ring = createKeyRing(['gateway', 'registry', 'inference', 'promoter'])
  const config = { ...promoterConfig.parse({}), ...options.config }
  const ports = { log: silentLog, clock, newId: newUuidV7, metrics, database, publish, blobs, registry: registry.client, trainer, config }
  const service = createPromoter({ ...ports, tracking: fakeTracking(runs) })
  const identity = ring.identityOf('promoter')
  const host = await startService({ service, host: '127.0.0.1', port: 0, database, eventLog, identity, log: silentLog, metrics, clock })
  onTestFinished(() => host.stop())

  const call = async (path: string, init: { method?: string; body?: unknown; role?: Role } = {}) => {
    const token = await ring.identityOf('gateway').sign('promoter', { user: 'ana', role: init.role ?? 'admin' })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) }
    const answer = await fetch(`${host.value.url}${path}`, { method: init.method ?? 'GET', headers, ...body })
    return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) }
  }
  /** Says something as the service that writes the topic, through the log. */
  const emit = async (definition: EventDefinition, data: Record<string, unknown>) => {
    const record = encodeFor(definition, { id: newUuidV7(), source: '/millrace/other', subject: 'fish', time: clock(), extensions: {}, data })
    await eventLog.publish(definition.topic, [record])
  }
  const register = async (version: string, { servable = true, metrics = {}, tags = datasetTags, evaluation = null, ...model }: VersionOptions = {}) => {
    const stored = await storeModel(blobs, { note: version, ...model })
    registry.versions.set(version, { version, artifact: stored.artifact, signature: doublingSignature, servable })
    runs.set(version, { metrics, tags, evaluation })
    return stored
  }
  const decisions = async (version: string): Promise<Decision[]> => {
    const { body } = await call(`/api/v1/promotions/decisions?model=fish&version=${version}`)
    return z.array(decision).parse(body['decisions'])
  }
  const policy = async () => policyResponse.parse((await call('/api/v1/promotions/policies/fish')).body)
  const decided = (version: string, state: string): Promise<Decision> => until(async () => (await decisions(version)).find((one) => one.state === state))
  const published = async (): Promise<{ name: string; data: unknown }[]> => {
    const records = await eventLog.readToEnd('millrace.promotion-events.v1')
    return records.map((record) => {
      const decoded = decodeRecord(record)
      if (decoded.kind !== 'event') throw new Error('not an event')
      return { name: decoded.event.type, data: decoded.event.data }
    })
  }
  return { call, policy, emit, register, registry, trainer, decided, decisions, published, blobs, database }
}
