import { servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { createLruCache } from '@millrace/platform/cache/lru.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { encodeFor } from '@millrace/platform/events/cloudevents.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { startService } from '@millrace/platform/host.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { createLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { z } from 'zod'
import { createInference, inferenceConfig } from '../service.ts'

/**
 * A pod as a process of its own for the swap measurement: told over IPC what to serve, it says where it listens, a token, and what memory it takes. Its registry
 * is away and its log in memory: both would only add to what is measured.
 */
const settings = z.object({ ...inferenceConfig.shape, SWAP_BLOBS: z.string() })
const told = z.discriminatedUnion('kind', [z.object({ kind: z.literal('state'), state: servingStateChanged.data }), z.object({ kind: z.literal('memory') })])

const TOKEN_EVERY_MS = 5000

const config = readConfig(settings, process.env)
const ring = createKeyRing(['inference', 'gateway'])
const [log, metrics, eventLog] = [createLog({ level: 'warn', destination: 2 }), createMetrics('inference'), createMemoryLog()]
const identity = ring.identityOf('inference')
/** What the pod says is let go: a log in memory keeps every prediction, which would look like memory that a swap did not give back. */
const said: Pick<EventLog, 'publish'> = { publish: async () => undefined }
const service = createInference({
  ...{ log, metrics, eventLog: { ...eventLog, ...said }, identity, config, clock: systemClock, newId: newUuidV7 },
  blobs: await createFolderBlobs({ root: config.SWAP_BLOBS }),
  cache: createLruCache({ maxBytes: 1_000_000 }),
  registry: { ifChanged: () => Promise.reject(new TransientError('there is no registry here')) },
})
const host = await startService({ service, host: '127.0.0.1', port: 0, database: null, eventLog, identity, log, metrics, clock: systemClock })

async function sayToken(): Promise<void> {
  process.send?.({ kind: 'token', url: host.value.url, token: await ring.identityOf('gateway').sign('inference', { user: 'bench', role: 'user' }) })
}

async function hear(message: unknown): Promise<void> {
  const heard = told.parse(message)
  if (heard.kind === 'memory') {
    // Only what is still in use counts: room that the engine keeps for new objects (up to 96 MB, as the load was) says nothing about swaps.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    process.send?.({ kind: 'memory', bytes: process.memoryUsage.rss() })
    return
  }
  const { state } = heard
  const record = { id: newUuidV7(), source: '/millrace/registry', subject: state.model, time: new Date(), extensions: {}, data: state }
  await eventLog.publish(servingStateChanged.topic, [encodeFor(servingStateChanged, record)])
}

process.on('message', (message) => void hear(message))
process.once('disconnect', () => process.exit(0))
setInterval(() => void sayToken(), TOKEN_EVERY_MS).unref()
await sayToken()
