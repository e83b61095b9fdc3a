import type { IncomingMessage } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import { codingOf, damaged } from './decompress.ts'
import { utf8Text } from './read-json.ts'

export interface LineLimits {
  readonly maxLineBytes: number
  /** Lines in one group at most. */
  readonly maxLines: number
}

const NEWLINE = 0x0a

/**
 * The lines of a body in groups, as they come in: as many as are there, at most `maxLines`. Reads no further than the group that is asked for, so that memory
 * stays bounded however long the body is. Empty lines are passed over.
 * @throws AppError BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, CANCELLED
 */
export async function* readLines(request: IncomingMessage, { maxLineBytes, maxLines }: LineLimits): AsyncGenerator<string[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunksOf(request)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = rest.lastIndexOf(NEWLINE)
    if (end >= 0) {
      yield* inGroups(textLines(rest.subarray(0, end)), maxLines)
      rest = rest.subarray(end + 1)
    }
    if (rest.length > maxLineBytes) throw new AppError('PAYLOAD_TOO_LARGE', `A line is longer than the ${maxLineBytes} bytes allowed: send shorter ones.`)
  }
  yield* inGroups(textLines(rest), maxLines)
}

const textLines = (bytes: Uint8Array): string[] =>
  utf8Text(bytes)
    .split('\n')
    .filter((line) => line.trim() !== '')

function* inGroups(lines: readonly string[], size: number): Generator<string[]> {
  for (let from = 0; from < lines.length; from += size) yield lines.slice(from, from + size)
}

/** Leaving early must not destroy the connection: the refusal is still to be sent over it. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  const coding = codingOf(request)
  const source = coding ? request.pipe(coding.stream()) : request
  const onClose = () => {
    if (!request.complete) source.destroy(new AppError('CANCELLED', 'The client went away before the body was complete.'))
  }
  request.once('close', onClose)
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) yield Buffer.from(chunk)
  } catch (error) {
    throw error instanceof AppError ? error : damaged(error)
  } finally {
    request.off('close', onClose)
  }
}
