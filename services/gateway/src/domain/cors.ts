const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const MAX_AGE_SECONDS = '600'
const EXPOSED =
  'x-request-id, x-prediction-id, x-millrace-model-version, x-millrace-arm, x-millrace-generation, x-millrace-cached, x-millrace-reason, retry-after, inference-header-content-length, etag'

type Headers = Readonly<Record<string, string>>

/** What a browser asks on behalf of a page of another origin. */
export interface CorsQuestion {
  readonly method: string
  readonly origin: string | undefined
  /** Of a preflight. */
  readonly askedMethod: string | undefined
  readonly askedHeaders: string | undefined
}

/** `headers` go onto the answer; with `isPreflight` they are the answer. */
export interface CorsAnswer {
  readonly isPreflight: boolean
  readonly headers: Headers
}

const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/
const MAX_HEADERS_LENGTH = 1000

/**
 * Pages of the origins in `allowed` may call with credentials that they were given themselves, never with those of the browser (WHATWG Fetch, 3.2): there is no
 * `Access-Control-Allow-Credentials`. Null where nothing is to be said, which is how browsers are refused.
 */
export function answerCors({ method, origin, askedMethod, askedHeaders = '' }: CorsQuestion, allowed: readonly string[]): CorsAnswer | null {
  if (origin === undefined || !allowed.includes(origin.toLowerCase())) return null
  const own = { 'access-control-allow-origin': origin, vary: 'Origin' }
  if (method !== 'OPTIONS' || askedMethod === undefined) return { isPreflight: false, headers: { ...own, 'access-control-expose-headers': EXPOSED } }
  const named = askedHeaders.length <= MAX_HEADERS_LENGTH && HEADER_NAMES.test(askedHeaders)
  const headers = {
    ...own,
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    'access-control-allow-methods': METHODS,
    'access-control-max-age': MAX_AGE_SECONDS,
    ...(named ? { 'access-control-allow-headers': askedHeaders.toLowerCase() } : {}),
  }
  return { isPreflight: true, headers }
}
