import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { type Access, mayAccess } from '@millrace/platform/http/identity.ts'
import { dialectOfPath } from '@millrace/platform/http/problem.ts'
import type { ErrorDialect } from '@millrace/platform/http/route.ts'
import type { Log } from '@millrace/platform/log.ts'
import { isRequestId } from '@millrace/platform/telemetry/request-id.ts'
import type { Authenticate, Caller } from './access/authenticate.ts'
import type { Access as OpenedAccess } from './access/open-access.ts'
import type { RateLimit } from './access/rate-limit.ts'
import { modelOf } from './domain/model-of-path.ts'
import { canonicalPath, findTarget, type Target } from './domain/route-table.ts'
import { findPathProblem } from './domain/unsafe-path.ts'
import type { Edge } from './edge.ts'
import type { Forwarding } from './forward/forward.ts'
import type { LocalRoute } from './local/local-request.ts'
import { sendFailure } from './local/send.ts'
import type { Quotas } from './quotas.ts'
import { type RequestTrace, traceRequest } from './trace-request.ts'

/** What is known of a request; the caller once it is. */
export interface Seen {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  /** Canonical, without its query. */
  readonly path: string
  readonly target: Target | null
  readonly address: string
  readonly begunMs: number
  readonly trace: RequestTrace | null
  caller: Caller | null
  model: string
}

export interface HandleDeps {
  readonly edge: Edge
  readonly authenticate: Authenticate
  readonly checkTold: OpenedAccess['checkTold']
  readonly noteAnswered: OpenedAccess['noteAnswered']
  readonly rateLimit: RateLimit
  readonly quotas: Quotas
  readonly forward: (forwarding: Forwarding) => Promise<void>
  readonly locals: readonly LocalRoute[]
  readonly newId: () => string
  readonly log: Log
  /** Told of every request when its answer is over. */
  readonly observe: (seen: Seen) => void
}

/** Who may call without showing who they are, where nothing is asked of them. */
const NOBODY: Caller = { user: 'anonymous', role: 'viewer', quota: 'anonymous' }

/** Answers one request, whatever happens: nothing that goes wrong in here may leave a client waiting. */
export const createHandleRequest = (deps: HandleDeps) =>
  function handleRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/'
    const queryAt = url.indexOf('?')
    const rawPath = queryAt < 0 ? url : url.slice(0, queryAt)
    const query = queryAt < 0 ? '' : url.slice(queryAt)
    const seen = see(deps, request, response, rawPath)
    response.once('close', () => deps.observe(seen))
    answer(deps, seen, query).catch((error: unknown) => {
      const dialect: ErrorDialect = seen.target?.dialect ?? dialectOfPath(rawPath)
      report(deps.log, error, seen.requestId)
      sendFailure(request, response, error, dialect, seen.requestId)
    })
  }

function see({ newId }: HandleDeps, request: IncomingMessage, response: ServerResponse, rawPath: string): Seen {
  const given = request.headers['x-request-id']
  const path = canonicalPath(rawPath)
  return {
    request,
    response,
    requestId: isRequestId(given) ? given : newId(),
    path,
    target: findTarget(path),
    address: request.socket.remoteAddress ?? '',
    begunMs: performance.now(),
    trace: traceRequest(request.headers['traceparent']),
    caller: null,
    model: '',
  }
}

function report(log: Log, error: unknown, requestId: string): void {
  const failed = !(error instanceof AppError) && !(error instanceof TransientError)
  if (failed) log.error('request failed', { requestId, error })
}

async function answer(deps: HandleDeps, seen: Seen, query: string): Promise<void> {
  const { request, response, requestId, path, target } = seen
  if (deps.edge(request, response) === 'answered') return
  const local = target ? null : findLocal(deps.locals, path, request.method ?? 'GET')
  const access = target ? accessTo(target, request.method ?? 'GET', path) : (local?.access ?? 'read')
  const caller = await admit(deps, request, access, seen)
  if (target) return pass(deps, seen, { target, caller, query, isPrediction: access === 'predict' })
  if (!local) throw new AppError('ENDPOINT_NOT_FOUND', `There is nothing at ${request.method} ${path}.`)
  return local.handle({ request, response, caller, path, requestId })
}

interface Passing {
  readonly target: Target
  readonly caller: Caller
  readonly query: string
  readonly isPrediction: boolean
}

async function pass({ forward, quotas, checkTold, noteAnswered }: HandleDeps, seen: Seen, { target, caller, query, isPrediction }: Passing): Promise<void> {
  const { request, response, path, requestId, trace } = seen
  const problem = target.traffic === 'artifact' ? null : findPathProblem(path)
  if (problem) throw new AppError('BAD_REQUEST', `Invalid path: ${problem}.`)
  if (caller.rights) await checkTold(caller, { target, method: request.method ?? 'GET', path, query })
  const model = target.upstream === 'inference' ? modelOf(path, query) : ''
  seen.model = model
  const forwarding = { request, response, target, path: path + query, model, caller, requestId, trace }
  if (!isPrediction) return forward(forwarding).then(() => noteAnswered(path, response.statusCode))
  const leave = await quotas.enter(caller.quota, model)
  return forward(forwarding).finally(leave)
}

/** Pods do not know users: what a prediction asks for is checked here. Every other service checks its own routes. */
function accessTo(target: Target, method: string, path: string): Access {
  if (target.open) return 'public'
  if (target.upstream !== 'inference' || method === 'GET' || method === 'HEAD') return 'read'
  if (path.startsWith('/v2/repository/')) return path.endsWith('/index') ? 'read' : 'write'
  return 'predict'
}

async function admit(deps: HandleDeps, request: IncomingMessage, access: Access, seen: Seen): Promise<Caller> {
  const { address } = seen
  if (access === 'public') {
    await deps.rateLimit.take(address)
    return NOBODY
  }
  await deps.rateLimit.checkFailures(address)
  const caller = await identify(deps, request, address)
  seen.caller = caller
  await deps.rateLimit.take(caller.quota)
  // With grants, what the role lacks may be had on the one resource: that is looked at when it is known.
  if (caller.rights && seen.target) return caller
  if (!mayAccess({ ...caller, service: 'gateway' }, access)) {
    throw new AppError('PERMISSION_DENIED', `${caller.user} has the role ${caller.role}, which does not include the right '${access}'.`)
  }
  return caller
}

async function identify(deps: HandleDeps, request: IncomingMessage, address: string): Promise<Caller> {
  try {
    return await deps.authenticate(request)
  } catch (error) {
    const tried = request.headers.authorization !== undefined || request.headers['x-api-key'] !== undefined
    if (tried && error instanceof AppError && error.code === 'UNAUTHENTICATED') await deps.rateLimit.countFailure(address)
    throw error
  }
}

const matches = (route: LocalRoute, path: string): boolean =>
  route.path === path || (route.path.length > 1 && route.path.endsWith('/') && path.startsWith(route.path) && /^[^/]+$/.test(path.slice(route.path.length)))

/** @throws AppError METHOD_NOT_ALLOWED for a path that is there under another method */
function findLocal(locals: readonly LocalRoute[], path: string, method: string): LocalRoute | null {
  const here = locals.filter((route) => matches(route, path))
  const found = here.find((route) => route.method === (method === 'HEAD' ? 'GET' : method))
  if (found || here.length === 0) return found ?? null
  throw new AppError('METHOD_NOT_ALLOWED', `${method} is not allowed on ${path}: use ${here.map((route) => route.method).join(', ')}.`)
}
