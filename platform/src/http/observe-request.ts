import type { IncomingMessage, ServerResponse } from 'node:http'
import { newUuidV7 } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { isRequestId, withRequestId } from '../telemetry/request-id.ts'
import { ATTRIBUTES } from '../telemetry/semantic-conventions.ts'
import type { SpanEnd } from '../telemetry/span.ts'
import { beginSpan, currentTrace, parseTraceparent, withTrace } from '../telemetry/tracing.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What is known of a request in hand; `route` is filled in once one matched. */
export interface RequestContext {
  readonly requestId: string
  route: string
}

/** Gives every request an id and a trace, and, when it is over, an access line (debug) and its metrics. */
export function createObserver(deps: { log: Log; metrics: Metrics }) {
  const requests = deps.metrics.counter('http_requests_total', 'HTTP requests answered.', ['method', 'route', 'status'])
  const durations = deps.metrics.histogram('http_request_duration_seconds', 'Time from the request to the end of its answer.', ['method', 'route'])
  return function observe(request: IncomingMessage, response: ServerResponse, next: (context: RequestContext) => void): void {
    const given = request.headers['x-request-id']
    const context: RequestContext = { requestId: isRequestId(given) ? given : newUuidV7(), route: 'unmatched' }
    response.setHeader('x-request-id', context.requestId)
    const begun = performance.now()
    withTrace(parseTraceparent(singleHeader(request.headers['traceparent'])), () => {
      const traceId = currentTrace()?.traceId
      const endSpan = beginSpan('server')
      response.once('close', () => {
        const seconds = (performance.now() - begun) / 1000
        const method = METHODS.includes(request.method ?? '') ? String(request.method) : 'other'
        const status = response.writableFinished ? response.statusCode : 499
        requests.add({ method, route: context.route, status: String(status) })
        durations.observe({ method, route: context.route }, seconds)
        endSpan(() => answered(method, context.route, status, request.url ?? '/'))
        deps.log.debug('request answered', { requestId: context.requestId, traceId, method, route: context.route, status, seconds })
      })
      withRequestId(context.requestId, () => next(context))
    })
  }
}

const singleHeader = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

function answered(method: string, route: string, status: number, url: string): SpanEnd {
  const matched = route === 'unmatched' ? undefined : route
  const failed = status >= 500
  const attributes = {
    [ATTRIBUTES.httpMethod]: method === 'other' ? '_OTHER' : method,
    [ATTRIBUTES.httpRoute]: matched,
    [ATTRIBUTES.httpStatus]: status,
    [ATTRIBUTES.urlPath]: url.split('?', 1)[0],
    [ATTRIBUTES.errorType]: failed ? String(status) : undefined,
  }
  const verb = method === 'other' ? 'HTTP' : method
  return { name: matched ? `${verb} ${matched}` : verb, attributes, error: failed ? `answered ${status}` : null }
}
