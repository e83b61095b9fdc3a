import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { systemClock as clock, newUuidV7 } from '../clock.ts'
import { readConfig } from '../config.ts'
import { openTracing } from '../distributed/open-tracing.ts'
import { startConsumer } from '../events/consume.ts'
import { deadLetter, done, type Handle, on } from '../events/handler.ts'
import { createMemoryLog } from '../events/memory.ts'
import { createPublish } from '../events/outbox.ts'
import { createRelay } from '../events/relay.ts'
import { noContent, route } from '../http/route.ts'
import { recordingLog, serveRoutes } from '../http/serve-routes.fixture.ts'
import { silentLog } from '../log.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { createMetrics } from './metrics.ts'
import { startReceiver } from './otlp-receiver.fixture.ts'
import { otlpSettings } from './otlp-settings.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const { topic } = modelVersionDeleted
type Data = { model: string; version: string }

async function tracing(env: Record<string, string>, log = silentLog) {
  const started = await openTracing(readConfig(z.object(otlpSettings), env), { service: 'registry', instance: 'one', log })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= started.stop()
    return stopped
  }
  onTestFinished(stop)
  return stop
}

/** A service that publishes an event for each request, and handles it. */
async function serveLoop(handle: Handle<Data> = async () => done) {
  const database = await freshDatabase()
  const eventLog = createMemoryLog()
  const metrics = createMetrics('test')
  const deps = { database, eventLog, log: silentLog, metrics, clock }
  const publish = createPublish({ source: '/test', clock, newId: newUuidV7 })
  const params = z.object({ name: z.string() })
  const remove = route({
    method: 'DELETE',
    path: '/models/:name',
    access: 'public',
    summary: 'Delete',
    params,
    handle: async (request) => {
      const data = { model: request.params.name, version: '1', deletedBy: 'ann' }
      await database.transaction((tx) => publish(tx, { definition: modelVersionDeleted, subject: request.params.name, data }))
      return noContent
    },
  })
  const fails = route({ method: 'GET', path: '/fails', access: 'public', summary: 'Fails', handle: () => Promise.reject(new Error('no')) })
  const relay = createRelay({ ...deps, pollMs: 5 })
  const consumer = await startConsumer({ ...deps, consumer: { group: 'promoter', handlers: [on(modelVersionDeleted, handle)] } })
  onTestFinished(async () => {
    await relay.stop()
    await consumer.stop()
  })
  const { send } = await serveRoutes([remove, fails])
  const settled = () => until(async () => /events_handled_total\{.*\} 1$/m.test(await metrics.expose()))
  return { send, settled }
}

const header = (flags: '00' | '01') => ({ headers: { traceparent: `00-${TRACE}-${CALLER}-${flags}` } })

test('a request, the event that it published and its handling arrive as spans of one trace; the send links to it', async () => {
  const receiver = await startReceiver()
  const stop = await tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/` })
  const { send, settled } = await serveLoop()
  await send('/models/fish?force=1', { method: 'DELETE', ...header('01') })
  await settled()
  await stop()
  expect(receiver.paths).toContain('/v1/traces')
  const [request, process, sending] = ['DELETE /models/:name', `process ${topic}`, `send ${topic}`].map((name) =>
    receiver.spans.find((span) => span.name === name),
  )
  expect(request).toMatchObject({ kind: 2, traceId: TRACE, parentSpanId: CALLER, resource: { 'service.name': 'registry', 'service.instance.id': 'one' } })
  expect(request?.attributes).toEqual({
    'http.request.method': 'DELETE',
    'http.route': '/models/:name',
    'http.response.status_code': 204,
    'url.path': '/models/fish',
  })
  expect(process).toMatchObject({ kind: 5, traceId: TRACE, parentSpanId: request?.spanId, status: { code: 0 } })
  expect(process?.attributes).toMatchObject({ 'messaging.system': 'kafka', 'messaging.consumer.group.name': 'promoter', 'messaging.kafka.message.key': 'fish' })
  expect(sending).toMatchObject({ kind: 3, links: [{ traceId: TRACE, spanId: request?.spanId }] })
  expect(sending?.attributes).toMatchObject({ 'messaging.operation.name': 'send', 'messaging.destination.name': topic })
  for (const span of receiver.spans) expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true)
})

test('a request that fails and an event that is refused are spans with an error', async () => {
  const receiver = await startReceiver()
  const stop = await tracing({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/own/path`, OTEL_SERVICE_NAME: 'other' })
  const { send, settled } = await serveLoop(async () => deadLetter('not for us'))
  await send('/fails')
  await send('/models/fish', { method: 'DELETE' })
  await settled()
  await stop()
  expect(receiver.paths).toContain('/own/path')
  const failed = receiver.spans.filter((span) => span.status.code === 2)
  expect(failed.map((span) => [span.name, span.attributes['error.type'], span.resource['service.name']])).toEqual(
    expect.arrayContaining([
      ['GET /fails', '500', 'other'],
      [`process ${topic}`, 'Refused', 'other'],
    ]),
  )
  expect(failed).toHaveLength(2)
})

test.each([
  ['parentbased_traceidratio', '0', ['01']],
  ['parentbased_traceidratio', '1', ['01', 'none']],
  ['parentbased_always_off', '1', ['01']],
  ['traceidratio', '0', []],
  ['always_off', '1', []],
  ['always_on', '0', ['00', '01', 'none']],
])('%s of %s samples the requests %j', async (sampler, ratio, sampled) => {
  const receiver = await startReceiver()
  const stop = await tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio })
  const at = (path: string) => route({ method: 'GET', path, access: 'public', summary: path, handle: async () => noContent })
  const { send, metrics } = await serveRoutes(['/00', '/01', '/none'].map(at))
  await send('/00', header('00'))
  await send('/01', header('01'))
  await send('/none')
  await until(async () => (await metrics.expose()).match(/^millrace_http_requests_total\{/gm)?.length === 3)
  await stop()
  expect(receiver.spans).toHaveLength(sampled.length)
  expect(new Set(receiver.spans.map((span) => span.attributes['http.route']))).toEqual(new Set(sampled.map((name) => `/${name}`)))
})

test('a collector that refuses costs spans, one warning and nothing else', async () => {
  const receiver = await startReceiver(400)
  const { log, lines } = recordingLog()
  const stop = await tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, log)
  const { send, settled } = await serveLoop()
  expect((await send('/models/fish', { method: 'DELETE' })).status).toBe(204)
  await settled()
  await stop()
  expect(lines.map((line) => line.message)).toEqual(['Spans do not reach the collector'])
})
