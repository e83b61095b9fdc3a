import { driftResolved } from '@millrace/contracts/events/drift-events.ts'
import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { servingObserved } from '@millrace/contracts/events/serving-events.ts'
import { encodeFor } from '@millrace/platform/events/cloudevents.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { startGateway } from '../testing/start-gateway.ts'

const deleted = (version: string, id: string) =>
  encodeFor(modelVersionDeleted, {
    id,
    source: '/test',
    subject: 'fish',
    time: new Date('2026-01-01T00:00:00.000Z'),
    extensions: {},
    data: { model: 'fish', version, deletedBy: 'ana' },
  })

/** Reads a stream until `stop`; `seen` grows as text comes in. */
async function follow(send: (path: string, init?: RequestInit) => Promise<Response>, headers: Record<string, string> = {}) {
  const leave = new AbortController()
  const answer = await send('/api/v1/events', { headers, signal: leave.signal })
  const seen = { text: '', ended: false }
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) seen.text += Buffer.from(chunk).toString()
  })()
  reading.then(() => (seen.ended = true)).catch(() => (seen.ended = true))
  return { seen, answer, stop: () => leave.abort() }
}

test('the stream begins with what happened before and goes on with what happens', async () => {
  const eventLog = createMemoryLog()
  await eventLog.publish(modelVersionDeleted.topic, [deleted('1', 'event-1')])
  const { send } = await startGateway({ eventLog })
  const { seen, answer, stop } = await follow(send)
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  await until(() => seen.text.includes('event-1'))
  await eventLog.publish(modelVersionDeleted.topic, [deleted('2', 'event-2')])
  await until(() => seen.text.includes('event-2'))
  expect(seen.text).toContain(`id: ${modelVersionDeleted.topic}/0/1\ndata: {"position":`)
  stop()
})

test('a reader who names its last event gets only what came after', async () => {
  const eventLog = createMemoryLog()
  await eventLog.publish(modelVersionDeleted.topic, [deleted('1', 'event-1'), deleted('2', 'event-2')])
  const { send } = await startGateway({ eventLog })
  const { seen, stop } = await follow(send, { 'last-event-id': `${modelVersionDeleted.topic}/0/0` })
  await until(() => seen.text.includes('event-2'))
  expect(seen.text).not.toContain('event-1')
  stop()
})

test('what cannot be read and mere counts of traffic are left out', async () => {
  const eventLog = createMemoryLog()
  await eventLog.publish(driftResolved.topic, [{ key: 'x', value: Buffer.from('not JSON'), headers: {} }])
  const served = { pod: 'p', incarnation: 'i', model: 'fish', version: '1', generation: 1, digest: 'a'.repeat(64), arm: 'production' }
  const times = { windowStart: '2026-01-01T00:00:00.000Z', windowEnd: '2026-01-01T00:00:10.000Z' }
  const data = { ...served, ...times, requests: 1, failures: 0, latencyEdges: [], latencyCounts: [] }
  await eventLog.publish(servingObserved.topic, [
    encodeFor(servingObserved, { id: 'counts', source: '/t', subject: 'fish', time: new Date(), extensions: {}, data }),
  ])
  await eventLog.publish(modelVersionDeleted.topic, [deleted('1', 'event-1')])
  const { send } = await startGateway({ eventLog })
  const { seen, stop } = await follow(send)
  await until(() => seen.text.includes('event-1'))
  expect(seen.text).not.toContain('counts')
  expect(seen.text.match(/^data: /gm)).toHaveLength(1)
  stop()
})

test('a stream ends when the gateway stops, instead of holding it up', async () => {
  const { send, stop } = await startGateway()
  const { seen } = await follow(send)
  await stop()
  await until(() => seen.ended)
})
