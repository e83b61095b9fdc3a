import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { EventDefinition } from '@millrace/contracts/events/event.ts'
import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { runFinished } from '@millrace/contracts/events/run-events.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { decodeRecord, encodeFor } from '@millrace/platform/events/cloudevents.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createOnce } from '@millrace/platform/events/once.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import type { CallOptions, ServiceClient } from '@millrace/platform/http/client.ts'
import type { OnBehalfOf, Role } from '@millrace/platform/http/identity.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { type Log, silentLog } from '@millrace/platform/log.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type RegistryConfig, registryConfig } from '../config.ts'
import { createRegistry, migrations } from '../service.ts'
import { FakeTracking } from './fake-tracking.ts'

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

interface Sending {
  /** A text is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly role?: Role
  /** Somebody else than ana. */
  readonly as?: OnBehalfOf
  /** Calls as this service for itself instead of as a person through the gateway. */
  readonly service?: 'promoter' | 'inference'
  /** Goes away when it aborts. */
  readonly signal?: AbortSignal | null
}

export const signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }] }
const spec = {
  ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], signature },
  ...{ labels: null, preprocessing: null, inputExample: null, parity: null, referenceProfile: null },
}

const network = writeOnnx({
  ...{ name: 'narrow', inputs: [{ name: 'x', shape: ['n', 4] }], outputs: [{ name: 'y', shape: ['n', 2] }] },
  initializers: [{ name: 'w', dims: [4, 2], data: new Float32Array(8) }],
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
})

export const specText = (note = ''): string => JSON.stringify({ ...spec, note })

/** Files of a model that can be served; `note` makes it another one. */
export const servableFiles = (note = ''): Record<string, string | Uint8Array> => ({ 'millrace-model.json': specText(note), 'model.onnx': network })

/** The promoter as a function: what it says of a version's standing. */
export interface Standing {
  policyVersion: number
  directPromotion: 'allowed' | 'forbidden'
  missingGates: string[]
}

function fakePromoter(standing: Standing & { error: Error | null }): ServiceClient {
  return {
    call: async <Response extends z.ZodType>({ response }: CallOptions<Response>) => {
      if (standing.error) throw standing.error
      return response.parse(standing)
    },
    download: async () => Readable.from([]),
  }
}

/** Nobody is out there. */
const nobody: OutsideClient = {
  findProblem: async () => ({ kind: 'unresolvable', detail: 'nobody is out there' }),
  post: () => Promise.reject(new TransientError('nobody is out there')),
}

interface RegistryOptions {
  readonly outside?: OutsideClient
  readonly log?: Log
  /** Migrated; embedded where it is left out. */
  readonly openDatabase?: () => Promise<Database>
  /** Takes what is to be done when the registry is needed no more, last things first; at the end of the test where it is left out. */
  readonly atEnd?: (work: () => Promise<void>) => void
}

/** A whole registry over HTTP and a memory log; it ends with the test. */
export async function runningRegistry(
  config: Partial<RegistryConfig> = {},
  { outside = nobody, log = silentLog, openDatabase = () => freshDatabase(migrations), atEnd = onTestFinished }: RegistryOptions = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'registry-test-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  const blobs = await createFolderBlobs({ root: folder })
  const tracking = new FakeTracking(blobs)
  const standing: Standing & { error: Error | null } = { policyVersion: 0, directPromotion: 'allowed', missingGates: [], error: null }
  const database = watchCommits(await openDatabase())
  const eventLog = createMemoryLog()
  const clock = systemClock
  const metrics = createMetrics('registry')
  const ring = createKeyRing(['gateway', 'registry', 'promoter', 'inference', 'tracking'])
  const ports = { log, clock, newId: newUuidV7, metrics, database, blobs, tracking: tracking.client, promoter: fakePromoter(standing), outside }
  const publish = createPublish({ source: '/millrace/registry', clock, newId: newUuidV7 })
  const service = createRegistry({ ...ports, publish, once: createOnce({ clock }), config: { ...registryConfig.parse({}), ...config } })
  const identity = ring.identityOf('registry')
  const start = () => startService({ service, host: '127.0.0.1', port: 0, database, eventLog, identity, log, metrics, clock })
  let host = await start()
  atEnd(() => host.stop())
  /** Stops the process, as it were, and starts another on the same data. */
  const restart = async () => {
    await host.stop()
    host = await start()
  }

  const send = async (method: string, path: string, { body, headers, role = 'admin', as, service: caller, signal = null }: Sending = {}): Promise<Answer> => {
    const token = await (caller ? ring.identityOf(caller).sign('registry') : ring.identityOf('gateway').sign('registry', as ?? { user: 'ana', role }))
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers }
    const answer = await fetch(`${host.value.url}${path}`, { method, headers: all, signal, ...sent })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(text)) }
  }
  const text = async (path: string): Promise<string> => {
    const token = await ring.identityOf('gateway').sign('registry', { user: 'ana', role: 'admin' })
    return (await fetch(`${host.value.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).text()
  }
  /** MLflow's API: a GET's fields go into the query. */
  const mlflow = (method: string, path: string, fields: Readonly<Record<string, unknown>> = {}, sending: Sending = {}): Promise<Answer> => {
    const pairs = Object.entries(fields).flatMap(([key, value]) => [value].flat().map((item): [string, string] => [key, String(item)]))
    const query = method === 'GET' ? `?${new URLSearchParams(pairs)}` : ''
    return send(method, `/api/2.0/mlflow/${path}${query}`, method === 'GET' ? sending : { ...sending, body: fields })
  }
  /** Publishes an event as its writer would. */
  const emitEvent = async <Data extends z.ZodType>(definition: EventDefinition<Data>, subject: string, data: z.infer<Data>, time = clock()) => {
    const event = { id: newUuidV7(), source: '/millrace/test', subject, time, extensions: {}, data }
    await eventLog.publish(definition.topic, [encodeFor(definition, event)])
  }
  const emit = (data: RunFinished) => emitEvent(runFinished, data.runId, data)
  const published = async (topic = 'millrace.model-events.v1') => {
    const records = await eventLog.readToEnd(topic)
    return records.map((record) => {
      const decoded = decodeRecord(record)
      if (decoded.kind !== 'event') throw new Error('not an event')
      return {
        type: decoded.event.type.replace(/^io\.millrace\./, ''),
        subject: decoded.event.subject,
        data: z.record(z.string(), z.unknown()).parse(decoded.event.data),
      }
    })
  }
  /** Resolves when the outbox is empty. */
  const settled = () => until(async () => (await database.query('select 1 from outbox where published_at is null limit 1')).length === 0)
  return { send, text, mlflow, emit, emitEvent, published, settled, tracking, standing, database, restart }
}

export type RunningRegistry = Awaited<ReturnType<typeof runningRegistry>>

/** Registers a model of `count` versions that can be served, each of a run of its own. */
export async function registered(registry: RunningRegistry, name = 'fish', count = 1): Promise<void> {
  await registry.mlflow('POST', 'registered-models/create', { name })
  for (let index = 1; index <= count; index++) {
    const source = `runs:/${name}-run-${index}/model`
    await registry.tracking.put(source, servableFiles(`${name} ${index}`))
    await registry.mlflow('POST', 'model-versions/create', { name, source, run_id: `${name}-run-${index}` })
  }
}

export const transition = (
  registry: RunningRegistry,
  version: number,
  stage: string,
  sending: Sending = {},
  extras: Readonly<Record<string, unknown>> = {},
): Promise<Answer> =>
  registry.mlflow(
    'POST',
    'model-versions/transition-stage',
    { name: 'fish', version: String(version), stage, archive_existing_versions: false, ...extras },
    sending,
  )
