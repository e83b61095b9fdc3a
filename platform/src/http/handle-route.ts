import type { Request, Response } from 'express'
import { authorize, type Locators } from '../access/permission.ts'
import { AppError } from '../errors.ts'
import { authenticate } from './authenticate.ts'
import type { ServiceIdentity } from './identity.ts'
import { parseInput } from './invalid-input.ts'
import { readJsonBody, refuseEncodedBody } from './read-body.ts'
import { deadlineOf, joinWildcards, parseQuery, refuseDuplicateHeaders } from './request-input.ts'
import { sendResponse } from './respond.ts'
import type { Route, RouteRequest, RouteResponse } from './route.ts'

export interface HandleDeps {
  readonly identity: ServiceIdentity
  readonly locators: Locators
  readonly requestTimeoutMs: number
  readonly draining: AbortSignal
}

/** One request through a route: who calls, what they send, the handler, the answer. Rejects with what went wrong; the caller of this answers it. */
export async function handleRoute(deps: HandleDeps, route: Route, request: Request, response: Response, requestId: string): Promise<void> {
  refuseDuplicateHeaders(request)
  const caller = await authenticate(request, route, deps.identity)
  const { params, query } = parseParts(route, request)
  const controller = watchClient(request, response)
  if (route.rawBody) watchStall(request, deps.requestTimeoutMs, controller)
  const body = await readBody(deps, route, request)
  const { signal } = controller
  await authorize(route.permission, deps.locators, { params, query, body, caller })
  signal.throwIfAborted()
  const input: RouteRequest<unknown, unknown, unknown> = { params, query, body, headers: request.headers, caller, requestId, signal, stream: request }
  const answer = await unlessAborted(signal, route.handle(input))
  endWithService(answer, deps.draining)
  await sendResponse(response, answer, request.method === 'HEAD')
}

function parseParts(route: Route, request: Request): { params: unknown; query: unknown } {
  const { schema, errors } = route
  const params = joinWildcards(request.params)
  return {
    params: schema.params ? parseInput(schema.params, params, errors, 'path') : params,
    query: schema.query ? parseInput(schema.query, parseQuery(request.url), errors, 'query') : {},
  }
}

async function readBody(deps: HandleDeps, route: Route, request: Request): Promise<unknown> {
  if (route.rawBody || route.schema.body) refuseEncodedBody(request)
  if (route.rawBody || !route.schema.body) return undefined
  return parseInput(route.schema.body, await readJsonBody(request, route, deps.requestTimeoutMs), route.errors, 'body')
}

/** An upload may take as long as it likes, but not stand still. */
function watchStall(request: Request, timeoutMs: number, controller: AbortController): void {
  const stalled = () => controller.abort(new AppError('REQUEST_TIMEOUT', `The upload stood still for ${timeoutMs / 1000} s.`))
  request.setTimeout(timeoutMs, stalled)
  // A request that was destroyed midway has no socket any more.
  const { socket } = request
  const calm = () => {
    request.off('timeout', stalled)
    socket.setTimeout(0)
  }
  request.once('end', calm)
  request.once('close', calm)
}

/** Aborts when the client goes before the answer is complete, or when the time it announced is over. */
function watchClient(request: Request, response: Response): AbortController {
  const controller = new AbortController()
  const timeoutMs = deadlineOf(request)
  const expire = () => controller.abort(new AppError('DEADLINE_EXCEEDED', `No answer within the ${timeoutMs} ms that the caller waits.`))
  const timer = timeoutMs === null ? null : setTimeout(expire, timeoutMs)
  response.once('close', () => {
    if (timer) clearTimeout(timer)
    if (!response.writableFinished) controller.abort(new AppError('CANCELLED', 'The client went away.'))
  })
  return controller
}

/** An event stream never ends by itself: the service that stops ends it, and its clients connect elsewhere. */
function endWithService({ headers, stream }: RouteResponse, draining: AbortSignal): void {
  if (!stream || !headers?.['content-type']?.startsWith('text/event-stream')) return
  const end = () => stream.destroy()
  if (draining.aborted) end()
  draining.addEventListener('abort', end, { once: true })
  stream.once('close', () => draining.removeEventListener('abort', end))
}

/** Rejects as soon as the signal says so; what the handler then still returns is let go. */
async function unlessAborted(signal: AbortSignal, work: Promise<RouteResponse>): Promise<RouteResponse> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => {
    work.then(({ stream }) => stream?.destroy()).catch(() => undefined)
    reject(signal.reason)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
