import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'
import busboy from 'busboy'
import { type BodyLimits, parseBody } from './read-body.ts'

/** An uploaded picture, undecoded. */
export interface UploadedImage {
  readonly bytes: Buffer
  readonly sha256: string
}

const FIELD = 'file'
const HOW = `send multipart/form-data with the picture as the file field '${FIELD}' (curl -F ${FIELD}=@picture.jpg)`
const LIMITS = { fields: 20, parts: 30, fieldNameSize: 200, fieldSize: 1024 }

/** What a form had instead of a picture, for the message. */
interface Seen {
  files: string[]
  fields: string[]
}

/**
 * Reads `multipart/form-data` with one picture in the field `file`, hashing while it arrives. Other fields are passed over.
 * @throws AppError BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, each saying what was there and what is expected
 */
export async function readImageForm(request: IncomingMessage, limits: BodyLimits): Promise<UploadedImage> {
  checkContentType(request)
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  const seen: Seen = { files: [], fields: [] }
  const parser = openParser(request)
  parser.on('file', (name: string, content: Readable) => {
    seen.files.push(name)
    const first = name === FIELD && seen.files.indexOf(FIELD) === seen.files.length - 1
    content.on('data', (chunk: Buffer) => {
      if (!first) return
      chunks.push(chunk)
      hash.update(chunk)
    })
    content.on('error', () => undefined)
  })
  parser.on('field', (name: string) => seen.fields.push(name))
  // A parser that is destroyed in the middle says so once more, later.
  parser.on('error', () => undefined)
  await parseBody(request, limits, parser).catch((error: unknown) => {
    parser.destroy()
    throw error instanceof AppError ? error : new AppError('BAD_REQUEST', `The multipart body is damaged or cut off: ${HOW}.`, { cause: error })
  })
  checkSeen(seen)
  const bytes = Buffer.concat(chunks)
  if (bytes.length === 0) throw new AppError('BAD_REQUEST', `The file in the field '${FIELD}' is empty (0 bytes): ${HOW}.`)
  return { bytes, sha256: hash.digest('hex') }
}

function checkContentType(request: IncomingMessage): void {
  const type = request.headers['content-type']
  const empty = request.headers['content-length'] === '0' || (!type && request.headers['content-length'] === undefined && !request.headers['transfer-encoding'])
  if (empty) throw new AppError('BAD_REQUEST', `The body is empty: ${HOW}.`)
  if (type && /^multipart\/form-data\s*(?:;|$)/i.test(type)) return
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', `The content type is ${type ? JSON.stringify(type.slice(0, 100)) : 'missing'}: ${HOW}.`)
}

function openParser(request: IncomingMessage) {
  try {
    return busboy({ headers: request.headers, limits: LIMITS })
  } catch (cause) {
    throw new AppError('BAD_REQUEST', `The content type has no usable boundary: ${HOW}.`, { cause })
  }
}

function checkSeen({ files, fields }: Seen): void {
  const count = files.filter((name) => name === FIELD).length
  if (count === 1) return
  if (count > 1) throw new AppError('BAD_REQUEST', `The field '${FIELD}' comes ${count} times: send one picture per request.`)
  if (fields.includes(FIELD)) throw new AppError('BAD_REQUEST', `The field '${FIELD}' is text, not a file: ${HOW}.`)
  const names = [...files, ...fields].slice(0, 5).map((name) => `'${String(name).slice(0, 40)}'`)
  throw new AppError('BAD_REQUEST', `The form has no file field '${FIELD}' (it has ${names.length > 0 ? names.join(', ') : 'no fields'}): ${HOW}.`)
}
