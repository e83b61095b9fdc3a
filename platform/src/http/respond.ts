import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { answerError } from './problem.ts'
import type { ErrorDialect, RouteResponse } from './route.ts'

/**
 * Writes what a handler returned. An object is sent as JSON; a string or bytes as they are, under the handler's content type; a stream with back-pressure,
 * destroyed when the client goes. Resolves when the answer is complete or the client has gone.
 */
export async function sendResponse(response: ServerResponse, answer: RouteResponse, headOnly: boolean): Promise<void> {
  if (answer.stream) return sendStream(response, answer, answer.stream, headOnly)
  const content = encode(answer.body)
  response.statusCode = answer.status
  if (content && !isRaw(answer.body)) response.setHeader('content-type', 'application/json')
  setHeaders(response, answer.headers)
  if (content) response.setHeader('content-length', content.length)
  response.end(headOnly ? undefined : content)
}

/** Answers with an error, or cuts the connection where the answer has already begun: a truncated body must not look complete. */
export function sendError(response: ServerResponse, error: unknown, dialect: ErrorDialect, requestId: string): number {
  const answer = answerError(error, dialect, requestId)
  if (response.headersSent) {
    response.destroy()
    return answer.status
  }
  for (const name of ['content-length', 'content-encoding', 'content-disposition', 'etag', 'cache-control']) response.removeHeader(name)
  response.statusCode = answer.status
  setHeaders(response, answer.headers)
  const text = response.req.method === 'HEAD' ? undefined : JSON.stringify(answer.body)
  if (response.req.complete) response.end(text)
  else endAfterRequest(response, text, answer.status)
  return answer.status
}

const QUIET_MS = 500
const LINGER_MS = 5000

/**
 * Closing a connection on which bytes still arrive takes the answer with it: the rest of the body is read and thrown away first, until nothing has come for half a second or
 * five seconds are over. Whoever let a body stand still is not waited for.
 */
function endAfterRequest(response: ServerResponse, text: string | undefined, status: number): void {
  const { req: request } = response
  response.setHeader('connection', 'close')
  if (text === undefined || request.destroyed || status === 408) {
    response.end(text)
    return
  }
  response.setHeader('content-length', Buffer.byteLength(text))
  response.write(text)
  const end = (): void => {
    clearTimeout(quiet)
    clearTimeout(most)
    request.off('data', stay)
    response.end()
  }
  const quiet = setTimeout(end, QUIET_MS)
  const most = setTimeout(end, LINGER_MS)
  const stay = (): void => void quiet.refresh()
  request.on('data', stay)
  request.once('end', end).once('close', end).resume()
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

const isRaw = (body: unknown): body is string | Uint8Array => typeof body === 'string' || body instanceof Uint8Array

function encode(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined
  return Buffer.from(isRaw(body) ? body : JSON.stringify(body))
}

async function sendStream(response: ServerResponse, answer: RouteResponse, stream: NonNullable<RouteResponse['stream']>, headOnly: boolean): Promise<void> {
  response.statusCode = answer.status
  setHeaders(response, answer.headers)
  if (headOnly) {
    stream.destroy()
    response.end()
    return
  }
  await pipeline(stream, response).catch((error: unknown) => {
    // One of the two ended early without an error of its own: the client has gone, or the stream was told to end. Nobody is left to be told.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error
  })
}
