import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Access, Caller, ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { refuseDuplicateHeaders } from '@millrace/platform/http/request-input.ts'
import type { ErrorDialect } from '@millrace/platform/http/route.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { DirectHandler } from '@millrace/platform/service.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import { deadlineFrom, type Exchange, goneSignal, type PathParams, type Reply, requestIdOf } from './exchange.ts'
import { createMatchPath } from './match-path.ts'
import { modelRightsOf, requirePermission } from './permissions.ts'
import { discardRest } from './read-body.ts'
import { sendFailure } from './send-failure.ts'
import { sendReply } from './send-reply.ts'
import { inTrace } from './trace-request.ts'

/** A route of the prediction path. Segments that begin with `:` are parameters. */
export interface DirectRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly access: Access
  readonly errors: ErrorDialect
  readonly handle: (exchange: Exchange) => Promise<Reply>
}

export interface DirectDeps {
  readonly routes: readonly DirectRoute[]
  readonly identity: Pick<ServiceIdentity, 'verify'>
  readonly newId: NewId
  readonly log: Log
  readonly metrics: Metrics
  readonly deadlineMs: number
}

/** Answers the prediction path on `node:http` itself; leaves every other path to the host. */
export function createDirect(deps: DirectDeps): DirectHandler {
  const requests = deps.metrics.counter('http_requests_total', 'HTTP requests answered.', ['method', 'route', 'status'])
  const matchPath = createMatchPath(deps.routes)
  return function direct(request, response) {
    const url = request.url ?? '/'
    const end = url.indexOf('?')
    const path = end < 0 ? url : url.slice(0, end)
    const match = matchPath(path)
    if (!match) return false
    const matched: Matched = { ...match, query: new URLSearchParams(end < 0 ? '' : url.slice(end + 1)) }
    void inTrace(request, match.pattern, () => answer(deps, request, response, matched)).then((status) => {
      requests.add({ method: request.method === 'POST' ? 'POST' : request.method === 'GET' ? 'GET' : 'other', route: match.pattern, status: String(status) })
    })
    return true
  }
}

interface Matched {
  readonly candidates: readonly DirectRoute[]
  readonly segments: PathParams
  readonly errors: ErrorDialect
  readonly query: URLSearchParams
}

/** Never rejects: whatever goes wrong becomes the answer. */
async function answer(deps: DirectDeps, request: IncomingMessage, response: ServerResponse, match: Matched): Promise<number> {
  const startedMs = performance.now()
  const requestId = requestIdOf(request, deps.newId)
  const signal = goneSignal(response)
  try {
    response.setHeader('x-request-id', requestId)
    response.setHeader('x-content-type-options', 'nosniff')
    const route = pickRoute(match.candidates, request, response)
    const caller = await identify(deps.identity, route.access, request)
    refuseDuplicateHeaders(request)
    const params = decodeParams(match.segments)
    if (caller) requirePermission(caller, route, params.model)
    const deadlineMs = deadlineFrom(request, startedMs, deps.deadlineMs)
    const reply = await route.handle({ request, requestId, params, query: match.query, startedMs, deadlineMs, signal, ...modelRightsOf(caller) })
    return await sendReply(request, response, reply)
  } catch (error) {
    return fail(deps, request, response, { error, dialect: match.errors, requestId })
  }
}

function pickRoute(candidates: readonly DirectRoute[], request: IncomingMessage, response: ServerResponse): DirectRoute {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = candidates.find((candidate) => candidate.method === method)
  if (route) return route
  if (candidates.length === 0) throw new AppError('ENDPOINT_NOT_FOUND', 'There is nothing at this path.')
  const allowed = candidates.map((candidate) => candidate.method).join(', ')
  response.setHeader('allow', allowed)
  throw new AppError('METHOD_NOT_ALLOWED', `${String(request.method)} is not allowed here: use ${allowed}.`)
}

/** Null where nobody is asked who they are. */
async function identify(identity: Pick<ServiceIdentity, 'verify'>, access: Access, request: IncomingMessage): Promise<Caller | null> {
  if (access === 'public') return null
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (!bearer) throw new AppError('UNAUTHENTICATED', 'This path needs a signed token of a Millrace service: call it through the gateway.')
  return identity.verify(bearer)
}

function decodeParams({ model, version, label }: PathParams): PathParams {
  const decode = (segment: string | null): string | null => (segment?.includes('%') ? decodeURIComponent(segment) : segment)
  try {
    return { model: decode(model), version: decode(version), label: decode(label) }
  } catch (cause) {
    throw new AppError('BAD_REQUEST', 'The path has a % that is not followed by two hexadecimal digits of valid UTF-8.', { cause })
  }
}

async function fail(
  deps: DirectDeps,
  request: IncomingMessage,
  response: ServerResponse,
  { error, dialect, requestId }: { error: unknown; dialect: ErrorDialect; requestId: string },
): Promise<number> {
  const foreseen = error instanceof AppError ? error.code !== 'INTERNAL_ERROR' : error instanceof TransientError
  if (!foreseen) deps.log.error('prediction failed', { requestId, error })
  const reason = error instanceof AppError ? error.details['reason'] : undefined
  if (reason === 'queue_full' || reason === 'deadline' || reason === 'not_ready') response.setHeader('x-millrace-reason', reason)
  if (!(error instanceof AppError && error.code === 'REQUEST_TIMEOUT')) await discardRest(request)
  return sendFailure(response, error, dialect, requestId)
}
