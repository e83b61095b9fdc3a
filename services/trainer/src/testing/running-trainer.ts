import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { EventDefinition } from '@millrace/contracts/events/event.ts'
import { type TrainingJob, trainingJob } from '@millrace/contracts/http/trainer.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { decodeRecord, encodeFor } from '@millrace/platform/events/cloudevents.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createOnce } from '@millrace/platform/events/once.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, type WatchedDatabase, watchCommits } from '@millrace/platform/host.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type TrainerConfig, trainerConfig } from '../config.ts'
import type { TrainerDeps } from '../deps.ts'
import type { TrainingEngine } from '../engine.ts'
import { createTrainer, migrations } from '../service.ts'
import { FakeEngine } from './fake-engine.ts'
import { FakeTracking } from './fake-tracking.ts'

/** A folder of its own that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'trainer-test-')))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function writeFiles(root: string, files: readonly string[], content = 'x'): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), content)
  }
}

export const smallDataset = ['train', 'val', 'test'].flatMap((split) => ['a', 'b'].map((name) => `${split}/${name}/1.jpg`))

interface Options {
  readonly config?: Partial<TrainerConfig>
  readonly engine?: TrainingEngine
  /** Runs on the database before the service starts, as what an earlier process left behind. */
  readonly before?: (deps: TrainerDeps, tracking: FakeTracking, dataset: string) => Promise<void>
}

/** Starts the service on a port of its own, and calls it as ana through the gateway. */
async function hosted(ports: Omit<TrainerDeps, 'database'> & { database: WatchedDatabase }, eventLog: EventLog, engine: TrainingEngine) {
  const { database, metrics, clock } = ports
  const ring = createKeyRing(['gateway', 'trainer'])
  const service = createTrainer({ ...ports, engine })
  const host = await startService({
    service,
    host: '127.0.0.1',
    port: 0,
    database,
    eventLog,
    identity: ring.identityOf('trainer'),
    log: silentLog,
    metrics,
    clock,
  })
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => {
    stopped ??= host.stop()
    return stopped
  }
  onTestFinished(stop)

  const call = async (path: string, init: { method?: string; body?: unknown; role?: Role; key?: string } = {}) => {
    const token = await ring.identityOf('gateway').sign('trainer', { user: 'ana', role: init.role ?? 'admin' })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...(init.key ? { 'idempotency-key': init.key } : {}) }
    const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) }
    const answer = await fetch(`${host.value.url}/api/v1/training${path}`, { method: init.method ?? 'GET', headers, ...body })
    return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) }
  }
  return { call, stop }
}

/** A whole trainer over HTTP and a memory log, with a data set under its one root; it ends with the test. */
export async function runningTrainer(options: Options = {}) {
  const folder = await temporaryFolder()
  const root = join(folder, 'data')
  const dataset = join(root, 'fish')
  await writeFiles(dataset, smallDataset)
  const engine = new FakeEngine()
  const tracking = new FakeTracking()
  const database = watchCommits(await freshDatabase(migrations))
  const [eventLog, clock, metrics] = [createMemoryLog(), systemClock, createMetrics('trainer')]
  const paths = { TRAINER_DATA_ROOTS: [root], TRAINER_SCRATCH: join(folder, 'scratch') }
  const config = { ...trainerConfig.parse({}), ...paths, TRAINER_RETRY_PAUSE_MS: 1, TRAINER_DATA_CHECK_MS: 20, ...options.config }
  const blobs = await createFolderBlobs({ root: join(folder, 'blobs') })
  const publish = createPublish({ source: '/millrace/trainer', clock, newId: newUuidV7 })
  const ports = { log: silentLog, clock, newId: newUuidV7, metrics, database, publish, once: createOnce({ clock }), blobs, tracking: tracking.client, config }
  await options.before?.(ports, tracking, dataset)
  const { call, stop } = await hosted(ports, eventLog, options.engine ?? engine)
  const submit = async (request: Record<string, unknown> = {}, key?: string): Promise<TrainingJob> => {
    const answer = await call('/jobs', { method: 'POST', body: { model: 'fish', dataset, ...request }, ...(key ? { key } : {}) })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return trainingJob.parse(answer.body)
  }
  const job = async (jobId: string): Promise<TrainingJob> => trainingJob.parse((await call(`/jobs/${jobId}`)).body)
  const jobs = async (): Promise<TrainingJob[]> => z.array(trainingJob).parse((await call('/jobs')).body['jobs'])
  const reached = (jobId: string, state: string): Promise<TrainingJob> =>
    until(async () => {
      const found = await job(jobId)
      if (found.state !== state) throw new Error(`${found.state}: ${found.message}`)
      return found
    })
  const emit = async (definition: EventDefinition, data: Record<string, unknown>): Promise<void> => {
    const record = encodeFor(definition, { id: newUuidV7(), source: '/millrace/other', subject: 'fish', time: clock(), extensions: {}, data })
    await eventLog.publish(definition.topic, [record])
  }
  const published = async (): Promise<string[]> =>
    (await eventLog.readToEnd('millrace.training-events.v1')).map((record) => {
      const decoded = decodeRecord(record)
      return decoded.kind === 'event' ? decoded.event.type.replace(/^io\.millrace\.training\.|\.v1$/g, '') : decoded.kind
    })
  return { call, submit, job, jobs, reached, emit, published, engine, tracking, dataset, root, folder, database, blobs, stop }
}
