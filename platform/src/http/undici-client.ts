import type { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import type { z } from 'zod'
import type { Started } from '../component.ts'
import { AppError, messageOf, TransientError } from '../errors.ts'
import type { Log } from '../log.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { currentRequestId } from '../telemetry/request-id.ts'
import { currentTrace, formatTraceparent } from '../telemetry/tracing.ts'
import { type CallPolicy, createCallPolicy } from './call-policy.ts'
import type { CallOptions, ConditionalClient, IfChangedOptions } from './client.ts'
import type { ServiceIdentity } from './identity.ts'
import { listProblems } from './invalid-input.ts'
import { readRemoteError } from './remote-error.ts'
import type { ServiceTls } from './service-tls.ts'

export interface ServiceClientOptions {
  /** Asked at every call: in one process a sibling's port is known only once it is open. */
  readonly baseUrl: () => string
  readonly audience: string
  readonly identity: ServiceIdentity
  readonly log: Log
  readonly metrics: Metrics
  /** Shown to siblings at `https://` addresses, and what they must show. */
  readonly tls?: ServiceTls | null
  /** For a whole call with its retries, unless the call says otherwise. */
  readonly timeoutMs?: number
  /** Largest answer that `call` reads into memory. */
  readonly maxAnswerBytes?: number
}

interface Attempt {
  readonly method: Dispatcher.HttpMethod
  readonly path: string
  readonly body: string | Readable | null
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly deadline: number
}

type Answer = Dispatcher.ResponseData

const CONNECT_TIMEOUT_MS = 2000
const STALL_TIMEOUT_MS = 30_000
const MAX_ERROR_BYTES = 65_536
const NOT_MODIFIED = 304
const IDEMPOTENT = ['GET', 'PUT', 'DELETE']

/** A client of one sibling over pooled connections; `stop` closes them. */
export function createServiceClient(options: ServiceClientOptions): Started<ConditionalClient> {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS, ...options.tls }, bodyTimeout: STALL_TIMEOUT_MS, connections: 64, pipelining: 1 })
  const policy = createCallPolicy(options.audience)
  const send = createSend(options, agent)
  const value: ConditionalClient = {
    call: (call) => callService(options, policy, send, call),
    ifChanged: (conditional) => callIfChanged(options, policy, send, conditional),
    download: async (path, { signal, timeoutMs } = {}) => {
      refuseInsideTransaction(`GET ${path} at ${options.audience}`)
      const { deadline, total } = timeLimit(timeoutMs ?? options.timeoutMs, signal)
      const attempt = { method: 'GET', path, body: null, headers: {}, signal: signal ?? new AbortController().signal, deadline } as const
      return policy(true, total, async () => (await send(attempt)).body)
    },
  }
  return { value, stop: () => agent.destroy() }
}

async function callService<Response extends z.ZodType>(
  options: ServiceClientOptions,
  policy: CallPolicy,
  send: (attempt: Attempt) => Promise<Answer>,
  call: CallOptions<Response>,
): Promise<z.infer<Response>> {
  const what = `${call.method} ${call.path} at ${options.audience}`
  refuseInsideTransaction(what)
  const { deadline, total } = timeLimit(call.timeoutMs ?? options.timeoutMs, call.signal)
  const body = call.stream ?? (call.body === undefined ? null : JSON.stringify(call.body))
  const headers = { ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}), ...call.headers }
  const repeatable = !call.stream && (IDEMPOTENT.includes(call.method) || 'idempotency-key' in headers)
  const text = await policy(repeatable, total, async () => {
    const answer = await send({ method: call.method, path: call.path, body, headers, signal: total, deadline })
    return readText(answer, options.maxAnswerBytes ?? 67_108_864, what)
  })
  return parseAnswer(call.response, text, what)
}

async function callIfChanged<Response extends z.ZodType>(
  options: ServiceClientOptions,
  policy: CallPolicy,
  send: (attempt: Attempt) => Promise<Answer>,
  { path, etag, response, timeoutMs, signal }: IfChangedOptions<Response>,
): Promise<{ body: z.infer<Response>; etag: string | null } | null> {
  const what = `GET ${path} at ${options.audience}`
  refuseInsideTransaction(what)
  const { deadline, total } = timeLimit(timeoutMs ?? options.timeoutMs, signal)
  const headers: Record<string, string> = etag === null ? {} : { 'if-none-match': etag }
  return policy(true, total, async () => {
    const answer = await send({ method: 'GET', path, body: null, headers, signal: total, deadline })
    const text = await readText(answer, options.maxAnswerBytes ?? 67_108_864, what)
    if (answer.statusCode === NOT_MODIFIED) return null
    return { body: parseAnswer(response, text, what), etag: firstHeader(answer.headers['etag']) ?? null }
  })
}

function timeLimit(timeoutMs = 10_000, signal?: AbortSignal): { deadline: number; total: AbortSignal } {
  const timeout = AbortSignal.timeout(timeoutMs)
  return { deadline: performance.now() + timeoutMs, total: signal ? AbortSignal.any([signal, timeout]) : timeout }
}

function createSend(options: ServiceClientOptions, agent: Agent): (attempt: Attempt) => Promise<Answer> {
  const { audience, identity, log, metrics } = options
  const calls = metrics.counter('http_client_requests_total', 'Calls made to sibling services, by outcome.', ['audience', 'method', 'outcome'])
  const durations = metrics.histogram('http_client_request_duration_seconds', 'Time to the head of the answer.', ['audience', 'method'])
  return async function send(attempt) {
    const begun = performance.now()
    try {
      const answer = await sendOnce(options, agent, attempt, await identity.sign(audience))
      calls.add({ audience, method: attempt.method, outcome: String(answer.statusCode) })
      return answer
    } catch (error) {
      const outcome = error instanceof AppError ? error.code : 'unavailable'
      calls.add({ audience, method: attempt.method, outcome })
      log.debug('call to a sibling failed', { audience, method: attempt.method, path: attempt.path, outcome, reason: messageOf(error) })
      throw error
    } finally {
      durations.observe({ audience, method: attempt.method }, (performance.now() - begun) / 1000)
    }
  }
}

/** One request; resolves with a 2xx answer whose body is still to be read. */
async function sendOnce(options: ServiceClientOptions, agent: Agent, attempt: Attempt, token: string): Promise<Answer> {
  const who = options.audience
  const remainingMs = Math.max(1, Math.floor(attempt.deadline - performance.now()))
  const { method, path, body, signal } = attempt
  const headers = { ...attempt.headers, ...contextHeaders(), authorization: `Bearer ${token}`, 'x-request-timeout-ms': String(remainingMs) }
  const answer = await agent
    .request({ origin: options.baseUrl(), path, method, headers, body, signal, headersTimeout: remainingMs })
    .catch((cause: unknown) => fail(`${method} ${path} at ${who}`, signal, cause))
  const unchanged = answer.statusCode === NOT_MODIFIED && 'if-none-match' in headers
  if (unchanged || (answer.statusCode >= 200 && answer.statusCode < 300)) return answer
  const text = await readText(answer, MAX_ERROR_BYTES, who).catch(() => '')
  throw readRemoteError({ who, status: answer.statusCode, text, retryAfter: firstHeader(answer.headers['retry-after']) })
}

/** A caller that gave up gets its own reason back; everything else on the way is transient. */
function fail(what: string, signal: AbortSignal, cause: unknown): never {
  const reason: unknown = signal.aborted ? signal.reason : null
  if (reason && !(reason instanceof DOMException && reason.name === 'TimeoutError')) throw reason
  throw new TransientError(`${what} failed: ${reason ? 'no answer in time' : messageOf(cause)}`, { cause })
}

function contextHeaders(): Record<string, string> {
  const requestId = currentRequestId()
  const trace = currentTrace()
  return { ...(requestId ? { 'x-request-id': requestId } : {}), ...(trace ? { traceparent: formatTraceparent(trace) } : {}) }
}

const firstHeader = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

async function readText(answer: Answer, maxBytes: number, what: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer.body) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > maxBytes) break
      chunks.push(bytes)
    }
  } catch (cause) {
    throw new TransientError(`${what} broke off: ${messageOf(cause)}`, { cause })
  }
  if (size > maxBytes) throw new Error(`${what} answered with more than ${maxBytes} bytes`)
  return Buffer.concat(chunks).toString('utf8')
}

/** What a sibling sends is checked like anything else that comes from outside. */
function parseAnswer<Response extends z.ZodType>(schema: Response, text: string, what: string): z.infer<Response> {
  const result = schema.safeParse(text === '' ? undefined : parseJson(text, what), { reportInput: true })
  if (result.success) return result.data
  const problems = listProblems(result.error).map(({ path, message }) => `${path || 'body'}: ${message}`)
  throw new Error(`${what} answered in a shape that was not agreed: ${problems.join('; ')}`)
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${what} answered with something that is not JSON`, { cause })
  }
}
