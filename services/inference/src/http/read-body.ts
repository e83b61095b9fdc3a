import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'
import { codingOf, decompress } from './decompress.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** `performance.now()` at which the body must be there. */
  readonly deadlineMs: number
}

const tooLarge = (maxBytes: number): AppError => new AppError('PAYLOAD_TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed here: send less.`)

/** Refuses by the declared length before a byte is read. */
function checkDeclaredLength(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
}

/**
 * Hands a body's bytes to `take` as they come, and resolves at its end.
 * @throws AppError PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, CANCELLED; whatever `take` throws
 */
function receiveBody(request: IncomingMessage, { maxBytes, deadlineMs }: BodyLimits, take: (chunk: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let size = 0
  const onData = (chunk: Buffer) => {
    size += chunk.length
    try {
      if (size > maxBytes) throw tooLarge(maxBytes)
      take(chunk)
    } catch (error) {
      reject(error)
    }
  }
  const late = () => reject(new AppError('REQUEST_TIMEOUT', 'The body did not arrive in time: send it without pauses.'))
  // Every request closes in the end: an error made for each of them, with its stack, would cost more than the reading.
  const onClose = () => {
    if (!request.readableEnded) reject(new AppError('CANCELLED', 'The client went away before the body was complete.'))
  }
  const timer = setTimeout(late, Math.max(0, deadlineMs - performance.now()))
  request.on('data', onData).once('end', resolve).once('error', reject).once('close', onClose)
  return promise.finally(() => {
    clearTimeout(timer)
    request.off('data', onData)
  })
}

/** The whole body in memory, unpacked. @throws AppError as `receiveBody` and `decompress` do */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const coding = codingOf(request)
  const content = await readAsSent(request, limits)
  return coding ? decompress(content, coding, limits.maxBytes) : content
}

async function readAsSent(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  checkDeclaredLength(request, limits.maxBytes)
  const chunks: Buffer[] = []
  await receiveBody(request, limits, (chunk) => void chunks.push(chunk))
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

/** The body through a parser; resolves when the parser has finished with it. */
export async function parseBody(request: IncomingMessage, limits: BodyLimits, parser: Writable): Promise<void> {
  checkDeclaredLength(request, limits.maxBytes)
  const closed = once(parser, 'close')
  closed.catch(() => undefined)
  if (codingOf(request)) parser.write(await readBody(request, limits))
  else await receiveBody(request, limits, (chunk) => void parser.write(chunk))
  parser.end()
  await closed
}

const DISCARD_BYTES = 64 * 1024 ** 2
const DISCARD_MS = 2000

/**
 * Reads on for a moment what nobody wants, so that a client that is still sending gets to read its refusal instead of a broken connection.
 */
export async function discardRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  let size = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const onData = (chunk: Buffer) => {
    size += chunk.length
    if (size > DISCARD_BYTES) resolve()
  }
  const timer = setTimeout(resolve, DISCARD_MS)
  for (const event of ['end', 'close', 'error']) request.once(event, () => resolve())
  request.on('data', onData).resume()
  await promise
  clearTimeout(timer)
  request.off('data', onData)
}
