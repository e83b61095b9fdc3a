import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'

/** W3C trace context of the work in hand: it goes into log fields, outgoing calls and the outbox. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

const scope = new AsyncLocalStorage<TraceContext>()
const HEADER = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Reads a `traceparent` header; null when absent or malformed, as the recommendation asks. */
export function parseTraceparent(header: string | undefined): TraceContext | null {
  const match = HEADER.exec(header ?? '')
  if (!match?.[1] || !match[2] || !match[3] || /^0+$/.test(match[1]) || /^0+$/.test(match[2])) return null
  return { traceId: match[1], spanId: match[2], sampled: (Number.parseInt(match[3], 16) & 1) === 1 }
}

export const formatTraceparent = (context: TraceContext): string => `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`

/** Continues the caller's trace, or begins one, for the time of `work`. */
export function withTrace<T>(parent: TraceContext | null, work: () => T): T {
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
  return scope.run({ traceId, spanId: randomBytes(8).toString('hex'), sampled: parent?.sampled ?? false }, work)
}

export const currentTrace = (): TraceContext | null => scope.getStore() ?? null
