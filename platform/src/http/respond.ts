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
  // What is left of the request's body is not worth reading.
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.statusCode = answer.status
  setHeaders(response, answer.headers)
  response.end(response.req.method === 'HEAD' ? undefined : JSON.stringify(answer.body))
  return answer.status
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
