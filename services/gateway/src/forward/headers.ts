import type { IncomingHttpHeaders } from 'node:http'

/** Meant for one connection, not for the next (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** What the client may not tell a service: who it is, and where it comes from. */
const CALLERS_OWN = [
  'authorization',
  'cookie',
  'x-api-key',
  'host',
  'expect',
  'http2-settings',
  'forwarded',
  'x-real-ip',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-request-id',
]
const NOT_FORWARDED = new Set([...HOP_BY_HOP, ...CALLERS_OWN])
const NOT_RETURNED = new Set([...HOP_BY_HOP, 'server', 'x-powered-by', 'set-cookie', 'access-control-allow-origin', 'access-control-allow-credentials'])

type Headers = Record<string, string | string[]>

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
}
/** An artifact may be a web page that somebody uploaded: it may look like one, but not run scripts or send forms on this origin. */
const FOREIGN_CONTENT_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"

export interface ForwardedFor {
  readonly token: string
  readonly requestId: string
  readonly address: string
  /** Whether the client came over TLS. */
  readonly secure: boolean
}

/** Headers of the call to a service, with the gateway's own word on who calls. */
export function forwardedHeaders(incoming: IncomingHttpHeaders, about: ForwardedFor): Headers {
  const headers = pass(incoming, NOT_FORWARDED)
  headers['authorization'] = `Bearer ${about.token}`
  headers['x-request-id'] = about.requestId
  headers['x-forwarded-for'] = about.address
  // For the addresses that an answer tells the client to call next.
  headers['x-forwarded-proto'] = about.secure ? 'https' : 'http'
  if (incoming.host) headers['x-forwarded-host'] = incoming.host
  return headers
}

/** Headers of the answer to the client. */
export function returnedHeaders(upstream: IncomingHttpHeaders, requestId: string): Headers {
  return { ...pass(upstream, NOT_RETURNED), ...SECURITY_HEADERS, 'content-security-policy': FOREIGN_CONTENT_POLICY, 'x-request-id': requestId }
}

function pass(headers: IncomingHttpHeaders, excluded: ReadonlySet<string>): Headers {
  const named = typeof headers.connection === 'string' ? headers.connection.toLowerCase().split(/\s*,\s*/) : []
  const passed: Headers = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !excluded.has(name) && !named.includes(name)) passed[name] = value
  }
  return passed
}
