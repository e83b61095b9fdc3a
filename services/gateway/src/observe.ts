import type { Log } from '@millrace/platform/log.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { Audit } from './audit/audit.ts'
import { isAdministrative } from './domain/admin-call.ts'
import type { HandleDeps, Seen } from './handle-request.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** The client went away before the answer was complete. */
const GONE = 499

/** Answers that come in floods: writing a line for each would make the flood worse. They are all counted. */
const OVERLOAD = [429, 503, 504]
const COMPLAINTS_PER_SECOND = 20

export interface ObserveDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: Audit
  /** Of predictions that succeeded, how many in a hundred are logged at info. */
  readonly logPercent: number
}

/**
 * Counts and times every request by service, ends its trace, writes the access line and notes administrative calls. At info: writes, refusals, failures and a sample of the
 * predictions; at debug what merely succeeded, and refusals for overload beyond some each second.
 */
export function createObserve({ log, metrics, audit, logPercent }: ObserveDeps): HandleDeps['observe'] {
  const requests = metrics.counter('gateway_requests_total', 'Requests answered, by the service they were for.', ['upstream', 'method', 'status'])
  const durations = metrics.histogram('gateway_request_duration_seconds', 'Time from the request to the end of its answer.', ['upstream'])
  const isSampled = createSample(logPercent)
  const mayComplain = createAllowance(COMPLAINTS_PER_SECOND)
  return function observe(seen) {
    const seconds = (performance.now() - seen.begunMs) / 1000
    const upstream = seen.target?.upstream ?? 'gateway'
    const method = METHODS.includes(seen.request.method ?? '') ? String(seen.request.method) : 'other'
    const status = seen.response.writableFinished ? seen.response.statusCode : GONE
    requests.add({ upstream, method, status: String(status) })
    durations.observe({ upstream }, seconds)
    seen.trace?.end({ method, route: upstream, status })
    if (isAdministrative(method, seen.path, seen.target)) note(audit, seen, method, status)
    const isRoutine = status < 400 && (upstream === 'inference' || method === 'GET' || method === 'HEAD')
    const quiet = isRoutine ? upstream !== 'inference' || !isSampled() : OVERLOAD.includes(status) && !mayComplain()
    write(quiet ? log.debug : log.info, seen, { method, upstream, status, seconds })
  }
}

/** Every n-th, evenly: no two dice for one line. */
function createSample(percent: number): () => boolean {
  let sum = 0
  return function isSampled() {
    sum += percent
    if (sum < 100) return false
    sum -= 100
    return true
  }
}

/** So many times a second. */
function createAllowance(perSecond: number): () => boolean {
  let second = 0
  let used = 0
  return function isAllowed() {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) used = 0
    second = now
    used += 1
    return used <= perSecond
  }
}

function note(audit: Audit, { caller, requestId, address, path }: Seen, method: string, status: number): void {
  audit.note({ requestId, user: caller?.user ?? '', role: caller?.role ?? '', address, method, path, status })
}

function write(to: Log['info'], seen: Seen, answered: { method: string; upstream: string; status: number; seconds: number }): void {
  const { requestId, request, caller, address, model, trace } = seen
  const path = (request.url ?? '').split('?')[0]
  to('request answered', {
    ...{ requestId, path, ...answered, user: caller?.user ?? '', address },
    ...(model === '' ? {} : { model }),
    ...(trace ? { traceId: trace.traceId } : {}),
  })
}
