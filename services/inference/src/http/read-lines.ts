import type { IncomingMessage } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import { codingOf, damaged } from './decompress.ts'
import { utf8Text } from './read-json.ts'

export interface LineLimits {
  readonly maxLineBytes: number
  /** Lines in one group at most. */
  readonly maxLines: number
  /** `performance.now()` at which the whole body must be there. */
  readonly deadlineMs: number
}

const NEWLINE = 0x0a

/**
 * The lines of a body in groups, as they come in: as many as are there, at most `maxLines`. Reads no further than the group that is asked for, so that memory
 * stays bounded however long the body is. Empty lines are passed over.
 * @throws AppError BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_TIMEOUT, CANCELLED
 */
export async function* readLines(request: IncomingMessage, { maxLineBytes, maxLines, deadlineMs }: LineLimits): AsyncGenerator<string[]> {
  let begun: Buffer[] = []
  let begunBytes = 0
  for await (const chunk of chunksOf(request, deadlineMs)) {
    const end = chunk.lastIndexOf(NEWLINE)
    if (end >= 0) {
      yield* inGroups(textLines(Buffer.concat([...begun, chunk.subarray(0, end)])), maxLines)
      begun = []
      begunBytes = 0
    }
    begun.push(chunk.subarray(end + 1))
    begunBytes += chunk.length - end - 1
    if (begunBytes > maxLineBytes) throw new AppError('PAYLOAD_TOO_LARGE', `A line is longer than the ${maxLineBytes} bytes allowed: send shorter ones.`)
  }
  yield* inGroups(textLines(Buffer.concat(begun)), maxLines)
}

const textLines = (bytes: Uint8Array): string[] =>
  utf8Text(bytes)
    .split('\n')
    .filter((line) => line.trim() !== '')

function* inGroups(lines: readonly string[], size: number): Generator<string[]> {
  for (let from = 0; from < lines.length; from += size) yield lines.slice(from, from + size)
}

/** Leaving early must not destroy the connection: the refusal is still to be sent over it. */
async function* chunksOf(request: IncomingMessage, deadlineMs: number): AsyncGenerator<Buffer> {
  const coding = codingOf(request)
  const source = coding ? request.pipe(coding.stream()) : request
  const { promise: cut, reject } = Promise.withResolvers<never>()
  cut.catch(() => undefined)
  const onClose = () => {
    if (!request.complete) reject(new AppError('CANCELLED', 'The client went away before the body was complete.'))
  }
  const late = () => reject(new AppError('REQUEST_TIMEOUT', 'The body did not arrive in time: send it without pauses, or ask for more time.'))
  const timer = setTimeout(late, Math.max(0, deadlineMs - performance.now()))
  request.once('close', onClose)
  try {
    const chunks = source.iterator({ destroyOnReturn: false })
    for (let next = await Promise.race([chunks.next(), cut]); !next.done; next = await Promise.race([chunks.next(), cut])) yield Buffer.from(next.value)
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error)
  } finally {
    clearTimeout(timer)
    request.off('close', onClose)
  }
}
