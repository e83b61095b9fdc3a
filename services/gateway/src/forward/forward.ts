import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import type { Role, ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { Dispatcher } from 'undici'
import type { GatewayConfig } from '../config.ts'
import type { Target, Traffic, UpstreamName } from '../domain/route-table.ts'
import { explainFailure, isPodFault, isUnreached } from './explain-failure.ts'
import { forwardedHeaders } from './headers.ts'
import type { Pod, Pods } from './pods.ts'
import { relayAnswer } from './relay-answer.ts'
import { checkLength, isUntouched, type RequestBody, readRequestBody } from './request-body.ts'
import { watchClient } from './watch-client.ts'

export interface ForwardDeps {
  readonly identity: ServiceIdentity
  readonly pods: Readonly<Record<UpstreamName, Pods>>
  readonly config: GatewayConfig
}

export interface Forwarding {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: Target
  /** Path and query as the service is to see them. */
  readonly path: string
  readonly caller: { readonly user: string; readonly role: Role }
  readonly requestId: string
}

interface Limits {
  readonly maxBytes: number
  /** For the whole call; null where only a standstill is limited. */
  readonly totalMs: number | null
  readonly stallMs: number
}

const METHODS: readonly Dispatcher.HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const SHED_REASONS = ['queue_full', 'deadline']

/**
 * Passes a request on to the service it belongs to and streams the answer back. A prediction or a read that one pod cannot answer goes to another, until a
 * byte of an answer was sent; other calls do so only where the first pod has certainly not seen them.
 * @throws AppError with what the client is to be told; nothing, or only a part of the answer, was sent then
 */
export const createForward = (deps: ForwardDeps) =>
  async function forward(forwarding: Forwarding): Promise<void> {
    const { request, response, target } = forwarding
    const limits = limitsOf(deps.config, target.traffic)
    const pods = deps.pods[target.upstream]
    checkLength(request, limits.maxBytes)
    const method = METHODS.find((candidate) => candidate === request.method)
    if (!method) throw new AppError('METHOD_NOT_ALLOWED', `The method ${request.method} is not offered here.`)
    if (pods.inFlight() >= deps.config.GATEWAY_MAX_IN_FLIGHT) {
      throw new AppError('TEMPORARILY_UNAVAILABLE', `Too many requests to the ${target.upstream} service are in progress: try again.`)
    }
    const client = watchClient(request, response, limits)
    try {
      const body = await readRequestBody(request, { maxBytes: limits.maxBytes, hold: target.traffic === 'predict', signal: client.signal })
      const headers = await headersFor(deps, forwarding, limits, body)
      await tryPods({ forwarding, pods, body, signal: client.signal, options: { method, path: forwarding.path, headers, ...timeouts(limits) } })
    } catch (error) {
      throw explainFailure(client.signal.aborted ? client.signal.reason : error, target.upstream)
    } finally {
      client.stop()
    }
  }

function limitsOf(config: GatewayConfig, traffic: Traffic): Limits {
  const stallMs = config.GATEWAY_STALL_TIMEOUT_MS
  if (traffic === 'predict') return { maxBytes: config.GATEWAY_MAX_PREDICT_BYTES, totalMs: config.GATEWAY_PREDICT_TIMEOUT_MS, stallMs }
  if (traffic === 'api') return { maxBytes: config.GATEWAY_MAX_API_BYTES, totalMs: config.GATEWAY_API_TIMEOUT_MS, stallMs }
  return { maxBytes: config.GATEWAY_MAX_ARTIFACT_BYTES, totalMs: null, stallMs }
}

const timeouts = ({ totalMs, stallMs }: Limits) => ({ headersTimeout: totalMs ?? stallMs, bodyTimeout: totalMs ?? stallMs })

async function headersFor(deps: ForwardDeps, forwarding: Forwarding, limits: Limits, body: RequestBody) {
  const { request, target, caller, requestId } = forwarding
  const token = await deps.identity.sign(target.upstream, { user: caller.user, role: caller.role })
  const about = { token, requestId, address: request.socket.remoteAddress ?? '', timeoutMs: limits.totalMs }
  const headers = forwardedHeaders(request.headers, about)
  // Bytes in hand have a length of their own; undici refuses a length without a body.
  if (body.content === null || Buffer.isBuffer(body.content)) delete headers['content-length']
  return headers
}

interface Attempts {
  readonly forwarding: Forwarding
  readonly pods: Pods
  readonly body: RequestBody
  readonly signal: AbortSignal
  readonly options: Omit<Dispatcher.DispatchOptions, 'body'>
}

async function tryPods(attempts: Attempts): Promise<void> {
  const { pods, forwarding, body, signal } = attempts
  const repeatable = forwarding.target.traffic === 'predict' || ['GET', 'HEAD'].includes(forwarding.request.method ?? '')
  const tried: Pod[] = []
  let failure: unknown = null
  for (let pod = pods.pick(tried); pod; pod = pods.pick(tried)) {
    tried.push(pod)
    try {
      await askPod(attempts, pod, () => pods.pick(tried) !== null && tried.length === 1 && body.replay)
      return
    } catch (error) {
      failure = error
      if (isUnreached(error)) pods.markDown(pod)
      const elsewhere = isPodFault(error) && (repeatable ? isUntouched(body) : isUnreached(error) && isUntouched(body))
      if (signal.aborted || forwarding.response.headersSent || !elsewhere) throw error
    }
  }
  throw failure ?? new AppError('TEMPORARILY_UNAVAILABLE', `The ${forwarding.target.upstream} service is not running at the moment: try again.`)
}

async function askPod({ forwarding, body, signal, options }: Attempts, pod: Pod, hasOther: () => boolean): Promise<void> {
  const { response, requestId } = forwarding
  pod.inFlight += 1
  try {
    await relayAnswer((handler) => pod.pool.dispatch({ ...options, body: body.content }, handler), {
      response,
      requestId,
      signal,
      shed: (status, reason) => status === 503 && SHED_REASONS.includes(String(reason)) && hasOther(),
    })
  } finally {
    pod.inFlight -= 1
  }
}
