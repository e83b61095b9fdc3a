import type { Log } from '@millrace/platform/log.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { HandleDeps } from './handle-request.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Counts and times every request by service, and writes the access line: writes and refusals at info, what merely succeeded at debug. */
export function createObserve({ log, metrics }: { log: Log; metrics: Metrics }): HandleDeps['observe'] {
  const requests = metrics.counter('gateway_requests_total', 'Requests answered, by the service they were for.', ['upstream', 'method', 'status'])
  const durations = metrics.histogram('gateway_request_duration_seconds', 'Time from the request to the end of its answer.', ['upstream'])
  return function observe({ request, response, route, user, address, requestId, begunMs }) {
    const seconds = (performance.now() - begunMs) / 1000
    const method = METHODS.includes(request.method ?? '') ? String(request.method) : 'other'
    const status = response.writableFinished ? response.statusCode : 499
    requests.add({ upstream: route, method, status: String(status) })
    durations.observe({ upstream: route }, seconds)
    const quiet = status < 400 && (route === 'inference' || method === 'GET' || method === 'HEAD')
    const write = quiet ? log.debug : log.info
    write('request answered', {
      requestId,
      method,
      path: (request.url ?? '').split('?')[0],
      upstream: route,
      status,
      seconds,
      user,
      address,
    })
  }
}
