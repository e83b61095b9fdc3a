import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { FinishedSpan } from './span.ts'
import { beginLinkedSpan, beginSpan, currentTrace, observeSpans, withTrace } from './tracing.ts'

const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true }
const unsampled = { ...parent, sampled: false }
const end = () => ({ name: 'work', attributes: {}, error: null })

function observed(isSampled = (_traceId: string, given: { sampled: boolean } | null) => given?.sampled ?? false): FinishedSpan[] {
  const spans: FinishedSpan[] = []
  onTestFinished(observeSpans({ isSampled, onSpan: (span) => spans.push(span) }))
  return spans
}

test('without an observer nothing is described, and the flag of the caller goes on', () => {
  let described = 0
  const count = () => {
    described += 1
    return end()
  }
  withTrace(parent, () => beginSpan('server')(count))
  beginLinkedSpan('client', () => [parent])(count)
  expect(described).toBe(0)
  expect([parent, unsampled, null].map((given) => withTrace(given, currentTrace)?.sampled)).toEqual([true, false, false])
})

test('a span is the one that the trace in hand names, below the one of the caller', () => {
  const spans = observed()
  const inside = withTrace(parent, () => {
    beginSpan('server')(end)
    return currentTrace()
  })
  expect(spans).toMatchObject([{ kind: 'server', traceId: parent.traceId, spanId: inside?.spanId, parentSpanId: parent.spanId }])
})

test('work outside of a trace, or in one that is not sampled, makes no span', () => {
  const spans = observed()
  beginSpan('server')(end)
  withTrace(unsampled, () => beginSpan('server')(end))
  beginLinkedSpan('client', () => [unsampled])(end)
  expect(spans).toEqual([])
})

test('the observer decides on a trace that begins here, and the decision travels on', () => {
  observed(() => true)
  expect(withTrace(null, currentTrace)?.sampled).toBe(true)
})

test('a second observer is refused', () => {
  observed()
  expect(() => observeSpans({ isSampled: () => true, onSpan: () => undefined })).toThrow('observed already')
})

test.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, true],
])('with %j the packages of the exporter are loaded: %s', async (env, expected) => {
  const urlOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({ resolve: (specifier, context, next) => (seen.add(specifier), next(specifier, context)) })
    await import(${urlOf('../distributed/run-service.ts')})
    const { processSettings } = await import(${urlOf('../distributed/settings.ts')})
    const { otlpSettings } = await import(${urlOf('./otlp-settings.ts')})
    if (Object.keys(otlpSettings).some((name) => !(name in processSettings))) throw new Error('a service does not read them')
    const { readConfig } = await import(${urlOf('../config.ts')})
    const { z } = await import('zod')
    const { openTracing } = await import(${urlOf('../distributed/open-tracing.ts')})
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
    const started = await openTracing(readConfig(z.object(otlpSettings), ${JSON.stringify(env)}), { service: 'registry', instance: 'one', log })
    await started.stop()
    console.log([...seen].some((name) => /opentelemetry\\/(sdk|exporter|otlp|resources)/.test(name)))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toBe(`${expected}\n`)
})
