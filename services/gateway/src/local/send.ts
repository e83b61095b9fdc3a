import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER_REASON } from '@millrace/contracts/http/inference.ts'
import { answerError, describeError } from '@millrace/platform/http/problem.ts'
import type { ErrorDialect } from '@millrace/platform/http/route.ts'
import { SECURITY_HEADERS } from '../forward/headers.ts'
import { linger } from '../linger.ts'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Answers a request that the gateway deals with itself. */
export function send(response: ServerResponse, answer: Answer, requestId: string): void {
  const length = { 'content-length': String(Buffer.byteLength(answer.body ?? '')) }
  const contentPolicy = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" }
  response.writeHead(answer.status, {
    ...contentPolicy,
    ...SECURITY_HEADERS,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    ...(answer.status === 204 ? {} : length),
    ...answer.headers,
  })
  response.end(response.req.method === 'HEAD' ? undefined : answer.body)
}

export const sendJson = (response: ServerResponse, status: number, body: unknown, requestId: string): void =>
  send(response, { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, requestId)

/** Answers with an error, or cuts the connection where the answer has already begun: a truncated body must not look complete. */
export function sendFailure(request: IncomingMessage, response: ServerResponse, error: unknown, dialect: ErrorDialect, requestId: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const answer = answerError(error, dialect, requestId)
  const described = describeError(error)
  const challenge: Record<string, string> = described.code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="millrace"' } : {}
  const reason: Record<string, string> = isReason(described.details['reason']) ? { [HEADER_REASON]: described.details['reason'] } : {}
  send(response, { status: answer.status, headers: { ...answer.headers, ...challenge, ...reason }, body: JSON.stringify(answer.body) }, requestId)
  linger(request)
}

const isReason = (value: unknown): value is string => typeof value === 'string' && /^[a-z_]+$/.test(value)
