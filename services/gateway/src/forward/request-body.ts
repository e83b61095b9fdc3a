import type { IncomingMessage } from 'node:http'
import { Readable, Transform } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'
import { linger } from '../linger.ts'
import type { ClientWatch } from './watch-client.ts'

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

/** Memory for bodies that are held, so that they can be sent to a second pod: all requests together. */
export class HeldBytes {
  readonly #most: number
  #used = 0

  constructor(most: number) {
    this.#most = most
  }

  /** False when it would be too much. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#most) return false
    this.#used += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#used -= bytes
  }
}

interface ReadOptions {
  readonly maxBytes: number
  /** Whether the body is read whole before it is sent on; null where it streams through. */
  readonly held: HeldBytes | null
  readonly client: ClientWatch
}

/** Runs `work` with the body to send on: whole where there is room to hold it, else as it streams in, cut off beyond `maxBytes`. */
export async function withRequestBody(request: IncomingMessage, options: ReadOptions, work: (body: RequestBody) => Promise<void>): Promise<void> {
  const { maxBytes, held } = options
  const length = request.headers['content-length']
  const chunked = request.headers['transfer-encoding'] !== undefined
  if (!chunked && (length === undefined || length === '0')) return work({ content: null, replay: true })
  const size = chunked ? maxBytes : Number(length)
  if (!held?.take(size)) return workOnStream(request, maxBytes, work)
  try {
    return await work({ content: await collect(request, options), replay: true })
  } finally {
    held.giveBack(size)
  }
}

/**
 * A service that answers before it has read everything makes its client destroy what it was sending: that must not be the request itself, whose connection goes on. What
 * is left of it is read to the end.
 */
async function workOnStream(request: IncomingMessage, maxBytes: number, work: (body: RequestBody) => Promise<void>): Promise<void> {
  const limit = createLimit(maxBytes)
  // Whoever sends the body on learns of the error; before that, nobody may be listening.
  limit.on('error', () => request.unpipe(limit))
  try {
    await work({ content: request.pipe(limit), replay: false })
  } finally {
    request.unpipe(limit)
    linger(request)
  }
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
function collect(request: IncomingMessage, { maxBytes, client }: ReadOptions): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  let chunks: Buffer[] = []
  let size = 0
  client.onOver = reject
  if (client.over) reject(client.over)
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxBytes) chunks.push(chunk)
    else {
      chunks = []
      reject(tooLarge(maxBytes))
    }
  })
  request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
  request.once('error', reject)
  return promise
}

/** Whether nothing of the body has been read yet, so that it can still go to another pod. */
export const isUntouched = (body: RequestBody): boolean => body.replay || (body.content instanceof Readable && !body.content.readableDidRead)
