import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { FinishedSpan, SpanEnd, SpanKind, SpanObserver } from './span.ts'

/** W3C trace context of the work in hand: it goes into log fields, outgoing calls and the outbox. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

interface Scope extends TraceContext {
  readonly parentSpanId: string | null
}

const scope = new AsyncLocalStorage<Scope>()
const HEADER = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
let observer: SpanObserver | null = null

/** Tells `next` of every sampled span from now on, until the answer is called. One observer per process. @throws Error when there is one already */
export function observeSpans(next: SpanObserver): () => void {
  if (observer) throw new Error('spans are observed already: one observer per process')
  observer = next
  return () => {
    observer = null
  }
}

/** Reads a `traceparent` header; null when absent or malformed, as the recommendation asks. */
export function parseTraceparent(header: string | undefined): TraceContext | null {
  const match = HEADER.exec(header ?? '')
  if (!match?.[1] || !match[2] || !match[3] || /^0+$/.test(match[1]) || /^0+$/.test(match[2])) return null
  return { traceId: match[1], spanId: match[2], sampled: (Number.parseInt(match[3], 16) & 1) === 1 }
}

export const formatTraceparent = (context: TraceContext): string => `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`

/** Continues the caller's trace, or begins one, for the time of `work`. Whether it is sampled is the observer's decision, without one the caller's. */
export function withTrace<T>(parent: TraceContext | null, work: () => T): T {
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
  const sampled = observer ? observer.isSampled(traceId, parent) : (parent?.sampled ?? false)
  return scope.run({ traceId, spanId: randomBytes(8).toString('hex'), sampled, parentSpanId: parent?.spanId ?? null }, work)
}

export const currentTrace = (): TraceContext | null => scope.getStore() ?? null

const NOTHING = (): void => undefined

/** Begins the span of the trace in hand; call the answer once, when the work is over. `describe` is not called when nobody observes or the trace is not sampled. */
export function beginSpan(kind: SpanKind): (describe: () => SpanEnd) => void {
  const context = scope.getStore()
  if (!observer || !context?.sampled) return NOTHING
  const { traceId, spanId, parentSpanId } = context
  return spanOf({ kind, traceId, spanId, parentSpanId, startMs: nowMs() })
}

/** A span of its own that is no part of a trace, such as the sending of a batch: it links to the traces that caused it, and is sampled when one of them is. */
export function beginLinkedSpan(kind: SpanKind, causes: () => readonly TraceContext[]): (describe: () => SpanEnd) => void {
  if (!observer) return NOTHING
  const links = causes().filter((cause) => cause.sampled)
  if (links.length === 0) return NOTHING
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), parentSpanId: null }
  return spanOf({ kind, ...ids, startMs: nowMs(), links })
}

function spanOf(begun: Omit<FinishedSpan, 'endMs' | 'name' | 'attributes' | 'error'>): (describe: () => SpanEnd) => void {
  return (describe) => observer?.onSpan({ ...begun, ...describe(), endMs: nowMs() })
}

/** A span that is handed on by hand: for paths where an asynchronous scope for every request would cost more than the work. */
export interface DetachedSpan {
  /** Of this span, for outgoing calls. */
  readonly context: TraceContext
  /** Begins a span below this one. */
  begin(kind: SpanKind): DetachedSpan
  /** Call it once, when the work is over. */
  end(describe: () => SpanEnd): void
}

/** Continues the caller's trace, or begins one. Null where nobody observes: the caller's context is then passed on as it came. */
export function beginDetachedSpan(kind: SpanKind, parent: TraceContext | null): DetachedSpan | null {
  if (!observer) return null
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
  return detachedSpan(kind, { traceId, parentSpanId: parent?.spanId ?? null, sampled: observer.isSampled(traceId, parent) })
}

function detachedSpan(kind: SpanKind, { traceId, parentSpanId, sampled }: Omit<Scope, 'spanId'>): DetachedSpan {
  const spanId = randomBytes(8).toString('hex')
  return {
    context: { traceId, spanId, sampled },
    begin: (inner) => detachedSpan(inner, { traceId, parentSpanId: spanId, sampled }),
    end: sampled ? spanOf({ kind, traceId, spanId, parentSpanId, startMs: nowMs() }) : NOTHING,
  }
}

const nowMs = (): number => performance.timeOrigin + performance.now()
