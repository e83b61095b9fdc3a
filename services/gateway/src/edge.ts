import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import type { GatewayConfig } from './config.ts'
import { answerCors } from './domain/cors.ts'

/** Headers of which two would leave open which one counts. */
const SINGLE = ['host', 'authorization', 'content-type', 'content-length', 'x-api-key', 'origin']
const HSTS = 'max-age=31536000; includeSubDomains'

export type Edge = (request: IncomingMessage, response: ServerResponse) => 'go on' | 'answered'

/**
 * The rules of the public port that hold before anybody is asked who they are: names under which it may be called, headers that must come once, and which pages
 * of other origins may call.
 */
export function createEdge(config: Pick<GatewayConfig, 'GATEWAY_PUBLIC_HOSTS' | 'GATEWAY_CORS_ORIGINS' | 'GATEWAY_TLS_CERT_PATH'>): Edge {
  const { GATEWAY_PUBLIC_HOSTS: hosts, GATEWAY_CORS_ORIGINS: origins } = config
  const hasTls = config.GATEWAY_TLS_CERT_PATH !== undefined
  return function passEdge(request, response) {
    if (request.httpVersionMajor !== 1) throw new AppError('BAD_REQUEST', `HTTP/${request.httpVersion} is not spoken here: use HTTP/1.1.`)
    refuseDuplicates(request.rawHeaders)
    if (hosts.length > 0) checkHost(request.headers.host, hosts)
    if (hasTls) response.setHeader('strict-transport-security', HSTS)
    return origins.length === 0 ? 'go on' : crossOrigin(request, response, origins)
  }
}

/** Looks at the names as they came: making lists of all headers would cost more than the rest of the rules together. */
function refuseDuplicates(rawHeaders: readonly string[]): void {
  let seen = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length > 14) continue
    const place = SINGLE.indexOf(name.toLowerCase())
    if (place < 0) continue
    if (seen & (1 << place)) throw new AppError('BAD_REQUEST', `The header ${SINGLE[place]} comes more than once.`)
    seen |= 1 << place
  }
}

function checkHost(host: string | undefined, hosts: readonly string[]): void {
  const name = (host ?? '').toLowerCase()
  if (hosts.includes(name) || hosts.includes(name.replace(/:\d+$/, ''))) return
  throw new AppError('MISDIRECTED_HOST', `This gateway does not answer to ${JSON.stringify(host ?? '')}: use one of ${hosts.join(', ')}.`)
}

function crossOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): ReturnType<Edge> {
  const { method = 'GET', headers } = request
  const answer = answerCors(
    {
      method,
      origin: headers.origin,
      askedMethod: headers['access-control-request-method'],
      askedHeaders: headers['access-control-request-headers'],
    },
    origins,
  )
  for (const [name, value] of Object.entries(answer?.headers ?? { vary: 'Origin' })) response.setHeader(name, value)
  if (!answer?.isPreflight) return 'go on'
  response.writeHead(204).end()
  return 'answered'
}
