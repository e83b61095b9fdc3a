import { modelPromoted } from '@millrace/contracts/events/model-events.ts'
import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { fixedClock } from '../testing/fixed.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { encodeEvent, type OutgoingEvent } from './cloudevents.ts'
import { startConsumer } from './consume.ts'
import { done, on } from './handler.ts'
import { createMemoryLog } from './memory.ts'

const { topic, type } = modelPromoted
const artifact = { uri: 'blob:1', sha256: '0'.repeat(64), sizeBytes: 1, format: 'onnx' }
const data = {
  model: 'fish',
  version: '2',
  previousVersion: null,
  generation: 1,
  artifact,
  runId: null,
  decisionId: 'd',
  reason: 'r',
  promotedBy: 'ann',
  skippedGates: [],
}
const promoted: OutgoingEvent = {
  id: 'e-1',
  source: '/test',
  type,
  subject: 'fish',
  time: new Date('2026-01-01T00:00:00.000Z'),
  dataschema: 'https://schemas.millrace.io/x',
  extensions: {},
  data,
}

async function readAll(events: readonly OutgoingEvent[], last: string): Promise<{ seen: unknown[]; letters: number }> {
  const eventLog = createMemoryLog()
  const seen: { id: string; data: unknown }[] = []
  const handler = on(modelPromoted, async (event) => {
    seen.push({ id: event.id, data: event.data })
    return done
  })
  const consumer = { group: 'reader', handlers: [handler] }
  const common = { eventLog, log: silentLog, metrics: createMetrics('test'), clock: fixedClock('2026-01-01T00:00:01.000Z') }
  const { stop } = await startConsumer({ ...common, consumer, database: await freshDatabase() })
  await eventLog.publish(topic, events.map(encodeEvent))
  await until(() => seen.some(({ id }) => id === last))
  await stop()
  return { seen, letters: (await eventLog.readToEnd(`${topic}.dlq`)).length }
}

test('a reader of this minor handles what a later one says: new fields at every depth, new values, new attributes, another schema address', async () => {
  const later = { ...data, addedLater: { deep: 1 }, artifact: { ...artifact, format: 'joined-later', signedBy: 'ann' } }
  const event = { ...promoted, data: later, dataschema: 'https://schemas.millrace.io/x/1.7.json', extensions: { addedlater: 'x', deprecated: 'true' } }
  expect(await readAll([event], 'e-1')).toEqual({ seen: [{ id: 'e-1', data: later }], letters: 0 })
})

test('event types that nobody here has heard of are passed over, and what comes after them is handled', async () => {
  const unheard = ['io.millrace.model.renamed.v1', 'com.example.model.promoted.v1', 'dev.cdevents.service.upgraded.0.3.0']
  const events = unheard.map((unknown, index) => ({ ...promoted, id: `u-${index}`, type: unknown, data: ['not', 'ours'] }))
  expect(await readAll([...events, promoted], 'e-1')).toEqual({ seen: [{ id: 'e-1', data }], letters: 0 })
})
