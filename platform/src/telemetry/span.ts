export type SpanKind = 'server' | 'client' | 'consumer'

/** What is known of a span once its work is over. */
export interface SpanEnd {
  readonly name: string
  /** By the names of `semantic-conventions.ts`; undefined is left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>
  /** What went wrong, in words; null when nothing did. */
  readonly error: string | null
}

export interface FinishedSpan extends SpanEnd {
  readonly kind: SpanKind
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

/** Receives spans. Neither method may throw or block: both are called in the middle of the work. */
export interface SpanObserver {
  /** `parent` is the caller's context; null where the trace begins here. */
  isSampled(traceId: string, parent: { readonly sampled: boolean } | null): boolean
  onSpan(span: FinishedSpan): void
}
