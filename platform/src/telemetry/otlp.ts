import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'
import type { Started } from '../component.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { OtlpConfig } from './otlp-settings.ts'
import type { FinishedSpan, SpanObserver } from './span.ts'
import { observeSpans } from './tracing.ts'

export interface OtlpOptions {
  /** Of the collector's traces, with the path. */
  readonly url: string
  /** `service.name`, and `service.instance.id`. */
  readonly service: string
  readonly instance: string
  readonly sampler: OtlpConfig['OTEL_TRACES_SAMPLER']
  /** 0..1, for the samplers of a ratio. */
  readonly ratio: number
  readonly log: Log
}

/** How long `stop` waits for what was not sent yet. */
const FLUSH_MS = 2000

/** Sends the process's spans to a collector over OTLP/HTTP, in batches and beside the work: a collector that is away costs spans, never an answer. */
export function startOtlp(options: OtlpOptions): Started<null> {
  const processor = new BatchSpanProcessor(reportingFailures(new OTLPTraceExporter({ url: options.url }), options.log))
  const resource = resourceOf(options)
  const end = observeSpans({ isSampled: samplerOf(options), onSpan: (span) => processor.onEnd(readableOf(span, resource)) })
  return {
    value: null,
    async stop() {
      end()
      const { promise: late, resolve } = Promise.withResolvers<'late'>()
      const timer = setTimeout(() => resolve('late'), FLUSH_MS)
      // What is refused, the exporter has reported by then.
      const sent = processor.shutdown().catch(() => undefined)
      if ((await Promise.race([sent, late])) === 'late') options.log.warn('The last spans were not sent in time', { waitedMs: FLUSH_MS })
      clearTimeout(timer)
    },
  }
}

function samplerOf({ sampler, ratio }: OtlpOptions): SpanObserver['isSampled'] {
  const root = rootSamplerOf(sampler, ratio)
  const ofParent = sampler.startsWith('parentbased_')
  const recorded = new AlwaysOnSampler().shouldSample().decision
  return (traceId, parent) => (ofParent && parent ? parent.sampled : root.shouldSample(ROOT_CONTEXT, traceId).decision === recorded)
}

function rootSamplerOf(sampler: OtlpOptions['sampler'], ratio: number): Pick<TraceIdRatioBasedSampler, 'shouldSample'> {
  if (sampler.endsWith('always_on')) return new AlwaysOnSampler()
  return sampler.endsWith('always_off') ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio)
}

/** `OTEL_RESOURCE_ATTRIBUTES` adds to it, but the name is the one that was given. */
function resourceOf({ service, instance }: OtlpOptions): Resource {
  const own = resourceFromAttributes({ 'service.namespace': 'millrace', 'service.instance.id': instance })
  return own.merge(detectResources({ detectors: [envDetector] })).merge(resourceFromAttributes({ 'service.name': service }))
}

/** Says once that spans do not arrive, and once that they do again. */
function reportingFailures(exporter: SpanExporter, log: Log): SpanExporter {
  let failing = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined
        if (failed && !failing) log.warn('Spans do not reach the collector', { reason: messageOf(result.error) })
        if (!failed && failing) log.info('Spans reach the collector again')
        failing = failed
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER }

const timeOf = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)]

const contextOf = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED })

function readableOf(span: FinishedSpan, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, startMs, endMs, error, links = [] } = span
  const context = contextOf(traceId, spanId)
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentSpanId ? { parentSpanContext: contextOf(traceId, parentSpanId) } : {}),
    startTime: timeOf(startMs),
    endTime: timeOf(endMs),
    duration: timeOf(endMs - startMs),
    status: error === null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: Object.fromEntries(Object.entries(span.attributes).filter(([, value]) => value !== undefined)),
    links: links.map((link) => ({ context: contextOf(link.traceId, link.spanId) })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'millrace' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}
