import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { AppError } from '../errors.ts'

export interface Part {
  readonly bytes: Buffer
  readonly last: boolean
}

export interface HashedSource {
  /** Parts of exactly `partBytes`, but for the last one, which may be shorter; empty content is one empty part. */
  readonly parts: AsyncGenerator<Part, void>
  /** Of all that was read so far. */
  digest(): { sha256: string; sizeBytes: number }
}

/** Cuts content into parts and hashes it on the way. The generator throws what the source throws, and AppError PAYLOAD_TOO_LARGE; the source is destroyed then. */
export function hashInParts(source: Readable, partBytes: number, maxBytes: number): HashedSource {
  const hash = createHash('sha256')
  let sizeBytes = 0
  async function* read(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk)
      sizeBytes += bytes.length
      if (sizeBytes > maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `The content is larger than the ${maxBytes} bytes allowed here.`)
      hash.update(bytes)
      yield bytes
    }
  }
  return { parts: cut(read(), partBytes), digest: () => ({ sha256: hash.copy().digest('hex'), sizeBytes }) }
}

async function* cut(chunks: AsyncGenerator<Buffer>, partBytes: number): AsyncGenerator<Part, void> {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  for await (const chunk of chunks) {
    waiting.push(chunk)
    waitingBytes += chunk.length
    // A full part waits until a byte follows it: only then is it known not to be the last.
    if (waitingBytes <= partBytes) continue
    const all = Buffer.concat(waiting)
    let start = 0
    for (; all.length - start > partBytes; start += partBytes) yield { bytes: all.subarray(start, start + partBytes), last: false }
    waiting = [all.subarray(start)]
    waitingBytes = all.length - start
  }
  yield { bytes: Buffer.concat(waiting), last: true }
}

export const asReadable = (content: Readable | Uint8Array): Readable => (content instanceof Readable ? content : Readable.from([content]))
