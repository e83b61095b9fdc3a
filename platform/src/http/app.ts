import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import { AppError, type ErrorCode, TransientError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createDescription } from './description-route.ts'
import { type HandleDeps, handleRoute } from './handle-route.ts'
import { createHealth } from './health.ts'
import type { ServiceIdentity } from './identity.ts'
import { createObserver, type RequestContext } from './observe-request.ts'
import { dialectOfPath } from './problem.ts'
import { sendError } from './respond.ts'
import type { ErrorDialect, Route } from './route.ts'

export interface AppOptions {
  readonly service: Service
  /** Verifies the callers' tokens; its own name is the audience they must be meant for. */
  readonly identity: ServiceIdentity
  readonly log: Log
  readonly metrics: Metrics
  /** Aborted once the service is about to stop: /ready turns 503, connections are closed after their answer, event streams end. */
  readonly draining?: AbortSignal
  /** Longest time for a JSON body to arrive, and longest standstill of an upload. */
  readonly requestTimeoutMs?: number
}

/** Refusals that callers can do nothing about. */
const FOR_SOMEBODY: readonly ErrorCode[] = ['INTERNAL_ERROR', 'STORAGE_FULL']

type Middleware = (request: Request, response: Response, next: (error?: unknown) => void) => void

const verbs = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const
const SECURITY_HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' }

/** The service's routes as an Express application, with /health, /ready and /metrics. Every answer, an error too, is made here. */
export function createApp(options: AppOptions): Express {
  const { service, log, metrics } = options
  const draining = options.draining ?? new AbortController().signal
  const deps = { identity: options.identity, locators: service.locators ?? {}, requestTimeoutMs: options.requestTimeoutMs ?? 30_000, draining }
  const contexts = new WeakMap<Request, RequestContext>()
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', false)
  app.use(begin({ log, metrics, draining, contexts }))
  for (const route of createHealth({ service, metrics, draining })) mount(app, route, deps, contexts)
  for (const route of [createDescription(service), ...service.routes]) mount(app, route, deps, contexts)
  for (const [path, routes] of Map.groupBy(service.routes, (route) => route.path)) app.all(path, refuseMethod(routes))
  app.use(refuseUnknown)
  app.use(answerFailure({ log, contexts, service }))
  return app
}

function begin(deps: { log: Log; metrics: Metrics; draining: AbortSignal; contexts: WeakMap<Request, RequestContext> }): Middleware {
  const observe = createObserver(deps)
  return function beginRequest(request, response, next) {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    if (deps.draining.aborted) response.setHeader('connection', 'close')
    observe(request, response, (context) => {
      deps.contexts.set(request, context)
      next()
    })
  }
}

function mount(app: Express, route: Route, deps: HandleDeps, contexts: WeakMap<Request, RequestContext>): void {
  const handler: Middleware = function runRoute(request, response, next) {
    const context = contexts.get(request)
    if (context) context.route = route.path
    handleRoute(deps, route, request, response, context?.requestId ?? '').catch((error: unknown) => next(new RouteFailure(route.errors, error)))
  }
  app.route(route.path)[verbs[route.method]](handler)
}

/** Carries the dialect of the route that failed to the one place that answers. */
class RouteFailure extends Error {
  readonly dialect: ErrorDialect
  constructor(dialect: ErrorDialect, cause: unknown) {
    super('route failed', { cause })
    this.dialect = dialect
  }
}

const refuseMethod = (routes: readonly Route[]): Middleware =>
  function methodNotAllowed(request, response, next) {
    const allowed = routes.map((route) => route.method).join(', ')
    response.setHeader('allow', allowed)
    const refusal = new AppError('METHOD_NOT_ALLOWED', `${request.method} is not allowed on ${request.path}: use ${allowed}.`)
    next(new RouteFailure(routes[0]?.errors ?? 'problem', refusal))
  }

const refuseUnknown: Middleware = (request, _response, next) => {
  next(new AppError('ENDPOINT_NOT_FOUND', `There is nothing at ${request.method} ${request.path}.`))
}

function answerFailure(deps: { log: Log; service: Service; contexts: WeakMap<Request, RequestContext> }): ErrorRequestHandler {
  return function answerError(raw: unknown, request: Request, response: Response, _next) {
    const context = deps.contexts.get(request)
    const dialect = raw instanceof RouteFailure ? raw.dialect : dialectOfPath(request.path)
    const error = raw instanceof RouteFailure ? raw.cause : fromRouter(raw)
    const fields = { service: deps.service.name, requestId: context?.requestId, route: context?.route, error }
    if (error instanceof TransientError) deps.log.warn('request failed on something that may come back', fields)
    else if (!(error instanceof AppError) || FOR_SOMEBODY.includes(error.code)) deps.log.error('request failed', fields)
    sendError(response, error, dialect, context?.requestId ?? '')
  }
}

/** The router itself fails on a path that does not decode. */
const fromRouter = (error: unknown): unknown =>
  error instanceof URIError
    ? new AppError('BAD_REQUEST', 'The path has a % that is not followed by two hexadecimal digits of valid UTF-8.', { cause: error })
    : error
