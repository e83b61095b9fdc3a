import { ATTRIBUTES } from '@millrace/platform/telemetry/semantic-conventions.ts'
import { beginDetachedSpan, type DetachedSpan, formatTraceparent, parseTraceparent } from '@millrace/platform/telemetry/tracing.ts'

/** One call to a pod. */
export interface AttemptSpan {
  /** For the call: the pod's spans are below this one. */
  readonly traceparent: string
  /** Status 0 for no answer. Only the first call counts. */
  end(status: number, error: string | null): void
}

/** The trace of one request. */
export interface RequestTrace {
  readonly traceId: string
  /** `resent` counts the calls before it. */
  beginAttempt(origin: string, resent: number): AttemptSpan
  end(answered: { method: string; route: string; status: number }): void
}

/** Continues the caller's trace (W3C Trace Context) or begins one; null where spans are not observed: `traceparent` is then passed on as it came. */
export function traceRequest(header: string | string[] | undefined): RequestTrace | null {
  const span = beginDetachedSpan('server', parseTraceparent(Array.isArray(header) ? header[0] : header))
  if (!span) return null
  return {
    traceId: span.context.traceId,
    beginAttempt: (origin, resent) => attemptOf(span.begin('client'), origin, resent),
    end({ method, route, status }) {
      const failed = status >= 500
      span.end(() => ({
        name: `${method} ${route}`,
        attributes: {
          [ATTRIBUTES.httpMethod]: method,
          [ATTRIBUTES.httpRoute]: route,
          [ATTRIBUTES.httpStatus]: status,
          [ATTRIBUTES.errorType]: failed ? String(status) : undefined,
        },
        error: failed ? `answered ${status}` : null,
      }))
    },
  }
}

function attemptOf(span: DetachedSpan, origin: string, resent: number): AttemptSpan {
  let isOver = false
  return {
    traceparent: formatTraceparent(span.context),
    end(status, error) {
      if (isOver) return
      isOver = true
      const failure = error ?? (status >= 500 ? `answered ${status}` : null)
      span.end(() => ({
        name: 'ask pod',
        attributes: {
          [ATTRIBUTES.serverAddress]: origin,
          [ATTRIBUTES.httpStatus]: status || undefined,
          [ATTRIBUTES.httpResend]: resent || undefined,
          [ATTRIBUTES.errorType]: failure ? String(status || 'no_answer') : undefined,
        },
        error: failure,
      }))
    },
  }
}
