import type { IncomingMessage } from 'node:http'
import { ATTRIBUTES } from '@millrace/platform/telemetry/semantic-conventions.ts'
import { beginSpan, parseTraceparent, withTrace } from '@millrace/platform/telemetry/tracing.ts'

/** Continues the caller's trace with a span of this pod's own. A request that carries none costs nothing. */
export function inTrace(request: IncomingMessage, pattern: string, work: () => Promise<number>): Promise<number> {
  const { traceparent } = request.headers
  const parent = typeof traceparent === 'string' ? parseTraceparent(traceparent) : null
  if (!parent) return work()
  return withTrace(parent, async () => {
    const end = beginSpan('server')
    const status = await work()
    const attributes = { [ATTRIBUTES.httpMethod]: request.method ?? '', [ATTRIBUTES.httpRoute]: pattern, [ATTRIBUTES.httpStatus]: status }
    end(() => ({ name: `${request.method} ${pattern}`, attributes, error: status >= 500 ? `answered ${status}` : null }))
    return status
  })
}
