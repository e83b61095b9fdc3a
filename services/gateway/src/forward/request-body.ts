import type { IncomingMessage } from 'node:http'
import { Readable, Transform } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'

/** Bodies up to here are held, so that they can be sent to a second pod. */
const REPLAYABLE_BYTES = 524_288

/** `replay` says whether the body can be sent once more. */
export interface RequestBody {
  readonly content: Buffer | Readable | null
  readonly replay: boolean
}

const tooLarge = (maxBytes: number): AppError => new AppError('PAYLOAD_TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed here: send less.`)

/** Refuses by the announced length, before a byte is read. @throws AppError PAYLOAD_TOO_LARGE */
export function checkLength(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
}

interface ReadOptions {
  readonly maxBytes: number
  /** Whether a small body is read whole. */
  readonly hold: boolean
  readonly signal: AbortSignal
}

/** The body to send on: small ones whole where asked for, others as they stream in, cut off beyond `maxBytes`. */
export async function readRequestBody(request: IncomingMessage, options: ReadOptions): Promise<RequestBody> {
  const { maxBytes, hold, signal } = options
  const length = request.headers['content-length']
  const chunked = request.headers['transfer-encoding'] !== undefined
  if (!chunked && (length === undefined || length === '0')) return { content: null, replay: true }
  if (chunked) return { content: limited(request, maxBytes), replay: false }
  if (hold && Number(length) <= REPLAYABLE_BYTES) return { content: await collect(request, signal), replay: true }
  return { content: request, replay: false }
}

function limited(request: IncomingMessage, maxBytes: number): Transform {
  const limit = createLimit(maxBytes)
  // Whoever sends the body on learns of the error; before that, nobody may be listening.
  limit.on('error', () => request.unpipe(limit))
  return request.pipe(limit)
}

function createLimit(maxBytes: number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size > maxBytes) done(tooLarge(maxBytes))
      else done(null, chunk)
    },
  })
}

/** Listens instead of iterating: leaving an iteration early would destroy the socket before a refusal is sent. */
function collect(request: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
  request.once('error', reject)
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  request.once('close', () => {
    if (!request.complete) reject(new AppError('CANCELLED', 'The client went away before the body was complete.'))
  })
  return promise
}

/** Whether nothing of the body has been read yet, so that it can still go to another pod. */
export const isUntouched = (body: RequestBody): boolean => body.replay || (body.content instanceof Readable && !body.content.readableDidRead)
