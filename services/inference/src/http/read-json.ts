import { AppError } from '@millrace/platform/errors.ts'
import { parseJsonText } from '@millrace/platform/http/json-text.ts'
import { decodeText } from '../domain/binary-tensor.ts'
import type { Exchange } from './exchange.ts'
import { readBody } from './read-body.ts'

/** A content type without its parameters, in lower case; empty where there is none. */
export const mediaTypeOf = ({ request }: Pick<Exchange, 'request'>): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** Types that a body of JSON comes under: clients of these protocols often name none, and curl then says it is a form. */
export const isJsonType = (mediaType: string): boolean => ['', 'application/json', 'application/x-www-form-urlencoded'].includes(mediaType)

/** Bytes as text. @throws AppError BAD_REQUEST */
export function utf8Text(content: Uint8Array): string {
  const text = decodeText(content)
  if (text === null) throw new AppError('BAD_REQUEST', 'The body is not valid UTF-8.')
  return text
}

/** A JSON body; `expected` says in a message what it should hold. @throws AppError 4xx */
export async function readJson(exchange: Exchange, maxBytes: number, expected: string): Promise<unknown> {
  if (!isJsonType(mediaTypeOf(exchange))) throw new AppError('UNSUPPORTED_MEDIA_TYPE', `The content type must be application/json: ${expected}.`)
  const content = await readBody(exchange.request, { maxBytes, deadlineMs: exchange.deadlineMs })
  if (content.length === 0) throw new AppError('BAD_REQUEST', `The body is empty: ${expected}.`)
  return parseJsonText(utf8Text(content))
}
