import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { parseJsonText } from './json-text.ts'
import type { Route } from './route.ts'

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Reads the JSON body of a route that has a body schema. No body is `{}`, so that the schema names what is missing.
 * On MLflow routes: its texts for a wrong content type, and a JSON string that holds JSON is decoded twice.
 * @throws AppError BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT
 */
export async function readJsonBody(request: IncomingMessage, route: Route, timeoutMs: number): Promise<unknown> {
  if (route.errors === 'mlflow') checkMlflowType(request)
  const content = await readAll(request, route.maxBodyBytes, timeoutMs)
  if (content.length === 0) return {}
  if (route.errors !== 'mlflow') checkType(request)
  const value = parseJsonText(decode(content))
  return route.errors === 'mlflow' && typeof value === 'string' ? parseJsonText(value) : value
}

/** @throws AppError UNSUPPORTED_MEDIA_TYPE for a compressed body: its size when unpacked cannot be bounded by looking at it. */
export function refuseEncodedBody(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding']
  if (!encoding || encoding.toLowerCase() === 'identity') return
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', `Content-Encoding ${JSON.stringify(encoding)} is not supported: send the body as it is.`)
}

function checkType(request: IncomingMessage): void {
  const type = request.headers['content-type']
  if (type && JSON_TYPE.test(type)) return
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', `Content-Type must be application/json, got ${type ? JSON.stringify(type) : 'none'}.`)
}

function checkMlflowType(request: IncomingMessage): void {
  if (request.method !== 'POST' && request.method !== 'PUT') return
  const type = request.headers['content-type']
  if (!type) throw new AppError('INVALID_PARAMETER_VALUE', 'Bad Request. Content-Type header is missing.')
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new AppError('INVALID_PARAMETER_VALUE', "Bad Request. Content-Type must be one of ['application/json'].")
  }
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw new AppError('BAD_REQUEST', 'The body is not valid UTF-8.', { cause })
  }
}

const tooLarge = (maxBytes: number): AppError => new AppError('PAYLOAD_TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed here.`)

async function readAll(request: IncomingMessage, maxBytes: number, timeoutMs: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const { promise, reject } = Promise.withResolvers<never>()
  const late = setTimeout(() => reject(new AppError('REQUEST_TIMEOUT', `The body did not arrive within ${timeoutMs / 1000} s.`)), timeoutMs)
  try {
    return await Promise.race([collect(request, maxBytes), promise])
  } finally {
    clearTimeout(late)
  }
}

/** Listens instead of iterating: leaving an iteration early would destroy the socket before the refusal is sent. */
function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxBytes) chunks.push(chunk)
    else reject(tooLarge(maxBytes))
  })
  request.once('end', () => resolve(Buffer.concat(chunks)))
  request.once('error', reject)
  request.once('close', () => {
    if (!request.complete) reject(new AppError('CANCELLED', 'The client went away before the body was complete.'))
  })
  return promise
}
