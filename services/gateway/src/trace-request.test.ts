import type { FinishedSpan } from '@millrace/platform/telemetry/span.ts'
import { observeSpans } from '@millrace/platform/telemetry/tracing.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const predict = (flags: string): RequestInit => ({ method: 'POST', headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}` } })

function observed(): FinishedSpan[] {
  const spans: FinishedSpan[] = []
  onTestFinished(observeSpans({ isSampled: (_traceId, parent) => parent?.sampled ?? true, onSpan: (span) => spans.push(span) }))
  return spans
}

async function startPod() {
  const told: string[] = []
  const url = await startUpstream((request, response) => {
    if (request.method === 'POST') told.push(String(request.headers['traceparent']))
    request.resume()
    response.end()
  })
  return { url, told }
}

test('a prediction is a span below its caller, each call to a pod a span below that, and the pod is told of it', async () => {
  const spans = observed()
  const pod = await startPod()
  const broken = await startUpstream((request, response) => (request.method === 'POST' ? request.socket.destroy() : response.end()))
  const { send } = await startGateway({ upstreams: { inference: () => [broken, pod.url] } })
  await until(async () => {
    await send('/predict', predict('01'))
    return spans.some(({ attributes }) => attributes['http.request.resend_count'] === 1)
  })
  const resent = spans.find(({ attributes }) => attributes['http.request.resend_count'] === 1)
  await until(() => spans.some(({ spanId }) => spanId === resent?.parentSpanId))
  const server = spans.find(({ spanId }) => spanId === resent?.parentSpanId)
  expect(server).toMatchObject({ kind: 'server', name: 'POST inference', traceId: TRACE, parentSpanId: 'b7ad6b7169203331', error: null })
  const attempts = spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId)
  expect(attempts.map(({ kind, error }) => [kind, error])).toEqual([
    ['client', 'no answer'],
    ['client', null],
  ])
  expect(pod.told).toContain(`00-${TRACE}-${resent?.spanId}-01`)
})

test('what is not sampled makes no span, and the decision goes on', async () => {
  const spans = observed()
  const pod = await startPod()
  const { send } = await startGateway({ upstreams: { inference: () => [pod.url] } })
  await send('/predict', predict('00'))
  expect(spans).toEqual([])
  expect(pod.told[0]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
})

test('where nobody observes, the context of the caller is passed on as it came', async () => {
  const pod = await startPod()
  const { send } = await startGateway({ upstreams: { inference: () => [pod.url] } })
  await send('/predict', predict('01'))
  expect(pod.told).toEqual([`00-${TRACE}-b7ad6b7169203331-01`])
})
