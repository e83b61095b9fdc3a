import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import type { OnBehalfOf, ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { deadlineOf } from '@millrace/platform/http/request-input.ts'
import type { Dispatcher } from 'undici'
import type { Pods } from '../balance/pods.ts'
import type { GatewayConfig } from '../config.ts'
import { Bulkhead } from '../domain/bulkhead.ts'
import type { RetryBudget } from '../domain/retry-budget.ts'
import type { Target, Traffic, UpstreamName } from '../domain/route-table.ts'
import type { RequestTrace } from '../trace-request.ts'
import { explainFailure } from './explain-failure.ts'
import { forwardedHeaders } from './headers.ts'
import { checkLength, HeldBytes, type RequestBody, withRequestBody } from './request-body.ts'
import { type TryPodsOptions, tryPods } from './try-pods.ts'
import { type ClientWatch, watchClient } from './watch-client.ts'

export interface ForwardDeps {
  readonly identity: ServiceIdentity
  readonly upstreams: Readonly<Record<UpstreamName, { readonly pods: Pods; readonly budget: RetryBudget }>>
  readonly config: GatewayConfig
  /** Told of every request that is sent once more. */
  readonly onRetry: TryPodsOptions['onRetry']
}

export interface Forwarding {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: Target
  /** Path and query as the service is to see them. */
  readonly path: string
  /** '' for a call that is for no model, or does not say for which. */
  readonly model: string
  readonly caller: OnBehalfOf
  readonly requestId: string
  readonly trace: RequestTrace | null
}

interface Limits {
  readonly maxBytes: number
  /** For the whole call; null where only a standstill is limited. */
  readonly totalMs: number | null
  readonly stallMs: number
}

const METHODS: readonly Dispatcher.HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Passes a request on to the service it belongs to and streams the answer back. A prediction or a read that one pod cannot answer goes to another, until a
 * byte of an answer was sent; other calls do so only where the first pod has certainly not seen them.
 * @throws AppError with what the client is to be told; nothing, or only a part of the answer, was sent then
 */
export function createForward(deps: ForwardDeps): (forwarding: Forwarding) => Promise<void> {
  const { config } = deps
  const models = new Bulkhead(config.GATEWAY_MAX_IN_FLIGHT_PER_MODEL)
  const held = new HeldBytes(config.GATEWAY_HELD_BYTES)
  return async function forward(forwarding) {
    const { request, response, target, model } = forwarding
    const limits = limitsOf(config, target.traffic, request)
    checkLength(request, limits.maxBytes)
    const method = METHODS.find((candidate) => candidate === request.method)
    if (!method) throw new AppError('METHOD_NOT_ALLOWED', `The method ${request.method} is not offered here.`)
    const { pods, budget } = deps.upstreams[target.upstream]
    if (pods.inFlight() >= config.GATEWAY_MAX_IN_FLIGHT) throw tooMany(`to the ${target.upstream} service`)
    const isPrediction = target.traffic === 'predict'
    if (isPrediction && !models.enter(model)) throw tooMany(model === '' ? 'for this model' : `for the model ${JSON.stringify(model)}`)
    const client = watchClient(request, response, limits)
    const attempt = (body: RequestBody) => send(deps, { forwarding, method, limits, client, body, pods, budget })
    try {
      await withRequestBody(request, { maxBytes: limits.maxBytes, held: isPrediction ? held : null, client }, attempt)
    } catch (error) {
      throw explainFailure(client.over ?? error, target.upstream)
    } finally {
      client.stop()
      if (isPrediction) models.leave(model)
    }
  }
}

const tooMany = (what: string): AppError =>
  new AppError('TEMPORARILY_UNAVAILABLE', `Too many requests ${what} are in progress: try again.`, { details: { reason: 'queue_full' } })

function limitsOf(config: GatewayConfig, traffic: Traffic, request: IncomingMessage): Limits {
  const stallMs = config.GATEWAY_STALL_TIMEOUT_MS
  if (traffic === 'artifact') return { maxBytes: config.GATEWAY_MAX_ARTIFACT_BYTES, totalMs: null, stallMs }
  const isPrediction = traffic === 'predict'
  const longestMs = isPrediction ? config.GATEWAY_PREDICT_TIMEOUT_MS : config.GATEWAY_API_TIMEOUT_MS
  const maxBytes = isPrediction ? config.GATEWAY_MAX_PREDICT_BYTES : config.GATEWAY_MAX_API_BYTES
  return { maxBytes, totalMs: Math.min(longestMs, deadlineOf(request) ?? longestMs), stallMs }
}

interface Sending {
  readonly forwarding: Forwarding
  readonly method: Dispatcher.HttpMethod
  readonly limits: Limits
  readonly client: ClientWatch
  readonly body: RequestBody
  readonly pods: Pods
  readonly budget: RetryBudget
}

async function send(deps: ForwardDeps, { forwarding, method, limits, client, body, pods, budget }: Sending): Promise<void> {
  const { request, target, caller, requestId, path } = forwarding
  const token = await deps.identity.sign(target.upstream, caller)
  const headers = forwardedHeaders(request.headers, { token, requestId, address: request.socket.remoteAddress ?? '', secure: 'encrypted' in request.socket })
  // Bytes in hand have a length of their own; undici refuses a length without a body.
  if (body.content === null || Buffer.isBuffer(body.content)) delete headers['content-length']
  // The whole call is timed by the watch: these are for what goes on where nobody waits any more.
  const timeoutMs = (limits.totalMs ?? limits.stallMs) + 1000
  const options = { method, path, headers, body: body.content, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  const repeatable = target.traffic === 'predict' || method === 'GET' || method === 'HEAD'
  await tryPods({ forwarding, pods, budget, body, client, headers, options, repeatable, onRetry: deps.onRetry })
}
