import type { Request, Response } from 'express'
import { AppError } from '../errors.ts'
import { authenticate } from './authenticate.ts'
import type { ServiceIdentity } from './identity.ts'
import { parseInput } from './invalid-input.ts'
import { readJsonBody, refuseEncodedBody } from './read-body.ts'
import { deadlineOf, joinWildcards, parseQuery, refuseDuplicateHeaders } from './request-input.ts'
import { sendResponse } from './respond.ts'
import type { Route, RouteRequest } from './route.ts'

interface HandleDeps {
  readonly identity: ServiceIdentity
  readonly requestTimeoutMs: number
}

/** One request through a route: who calls, what they send, the handler, the answer. Rejects with what went wrong; the caller of this answers it. */
export async function handleRoute(deps: HandleDeps, route: Route, request: Request, response: Response, requestId: string): Promise<void> {
  refuseDuplicateHeaders(request)
  const caller = await authenticate(request, route, deps.identity)
  const { params, query } = parseParts(route, request)
  const signal = watchClient(request, response)
  const body = await readBody(deps, route, request)
  const input: RouteRequest<unknown, unknown, unknown> = { params, query, body, headers: request.headers, caller, requestId, signal, stream: request }
  const answer = await raceWith(signal, route.handle(input))
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
  if (route.rawBody) {
    refuseEncodedBody(request)
    watchStall(request, deps.requestTimeoutMs)
    return undefined
  }
  if (!route.schema.body) return undefined
  refuseEncodedBody(request)
  const json = await readJsonBody(request, route, deps.requestTimeoutMs)
  return parseInput(route.schema.body, json, route.errors, 'body')
}

/** An upload may take as long as it likes, but not stand still. */
function watchStall(request: Request, timeoutMs: number): void {
  const stalled = () => request.destroy(new AppError('REQUEST_TIMEOUT', `The upload stood still for ${timeoutMs / 1000} s.`))
  request.socket.setTimeout(timeoutMs, stalled)
  const calm = () => {
    request.socket.setTimeout(0)
    request.socket.off('timeout', stalled)
  }
  request.once('end', calm)
  request.once('close', calm)
}

/** Aborts when the client goes before the answer is complete, or when the time it announced is over. */
function watchClient(request: Request, response: Response): AbortSignal {
  const controller = new AbortController()
  const timeoutMs = deadlineOf(request)
  const expire = () => controller.abort(new AppError('DEADLINE_EXCEEDED', `No answer within the ${timeoutMs} ms that the caller waits.`))
  const timer = timeoutMs === null ? null : setTimeout(expire, timeoutMs)
  response.once('close', () => {
    if (timer) clearTimeout(timer)
    if (!response.writableFinished) controller.abort(new AppError('CANCELLED', 'The client went away.'))
  })
  return controller.signal
}

async function raceWith<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
