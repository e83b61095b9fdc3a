import type { z } from 'zod'
import type { Api, ApiCall } from './api.ts'

/** An answer that refuses, or none at all (`status` 0, code `UNREACHABLE`). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

export interface Connection {
  /** Where the gateway is, such as `http://localhost:8080`. */
  readonly url: string
  /** An API key or a JWT. None on a gateway that is bound to loopback. */
  readonly token?: string
  /** How often a call is tried at most. Default 5. */
  readonly tries?: number
  /** Longest time of one try. Default 60 s. */
  readonly timeoutMs?: number
  /** The pause before the second try, doubled before each further one; a Retry-After of the server comes first. Default 200 ms. */
  readonly pauseMs?: number
}

const TRIES = 5
const TIMEOUT_MS = 60_000
const PAUSE_MS = 200
const MAX_PAUSE_MS = 10_000
const AGAIN = [408, 429, 502, 503, 504]

/**
 * Reaches Millrace over HTTP. Calls that change nothing when repeated (GET, PUT, DELETE, and any with an `idempotency-key`) are tried again after 408, 429, 502, 503, 504
 * and lost connections. @throws ApiError
 */
export function connectApi(connection: Connection): Api {
  const { tries = TRIES, pauseMs = PAUSE_MS } = connection
  return {
    async call(call) {
      const repeatable = call.method === 'GET' || call.method === 'PUT' || call.method === 'DELETE' || call.headers?.['idempotency-key'] !== undefined
      for (let tried = 1; ; tried += 1) {
        const outcome = await attempt(connection, call)
        if ('value' in outcome) return outcome.value
        if (!(outcome.again && repeatable) || tried >= tries || call.signal?.aborted) throw outcome.error
        await pause(Math.min(MAX_PAUSE_MS, outcome.retryAfterMs ?? pauseMs * 2 ** (tried - 1)))
        call.signal?.throwIfAborted()
      }
    },
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

type Outcome<Value> = { value: Value } | { error: ApiError; again: boolean; retryAfterMs?: number | undefined }

async function attempt<Response extends z.ZodType>(connection: Connection, call: ApiCall<Response>): Promise<Outcome<z.infer<Response>>> {
  try {
    const response = await send(connection, call)
    const text = await response.text()
    if (!response.ok) return refusal(response, text)
    return { value: call.response.parse(text === '' ? {} : JSON.parse(text)) }
  } catch (cause) {
    call.signal?.throwIfAborted()
    if (!(cause instanceof TypeError || (cause instanceof DOMException && cause.name === 'TimeoutError'))) throw cause
    return { error: new ApiError(0, 'UNREACHABLE', `${connection.url} gave no answer to ${call.method} ${call.path}`, { cause }), again: true }
  }
}

function send({ url, token, timeoutMs = TIMEOUT_MS }: Connection, call: ApiCall<z.ZodType>): Promise<Response> {
  const timeout = AbortSignal.timeout(call.timeoutMs ?? timeoutMs)
  const headers = {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(call.content ? { 'content-type': 'application/octet-stream' } : {}),
    ...call.headers,
  }
  const body = call.content ? { body: call.content(), duplex: 'half' as const } : call.body === undefined ? {} : { body: JSON.stringify(call.body) }
  const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout
  return fetch(new URL(call.path, url), { method: call.method, headers, ...body, signal, redirect: 'error' })
}

/** MLflow says `error_code` and `message`, RFC 9457 `code` and `detail`, the Open Inference Protocol `error`. */
function refusal(response: Response, text: string): Outcome<never> {
  const body = parseObject(text)
  const said = (...names: string[]) => names.map((name) => body[name]).find((value) => typeof value === 'string')
  const code = said('error_code', 'code') ?? `HTTP_${response.status}`
  const error = new ApiError(response.status, code, said('message', 'detail', 'error', 'title') ?? `answered ${response.status}`)
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return { error, again: AGAIN.includes(response.status), ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}) }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
