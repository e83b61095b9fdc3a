import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'

const MAX_QUERY_KEYS = 1000
/** Headers of which two would leave open which one counts. */
const SINGLE = ['host', 'authorization', 'content-type', 'content-length']

/** Query parameters: a key that is repeated becomes an array of its values. @throws AppError BAD_REQUEST */
export function parseQuery(url: string): Record<string, string | string[]> {
  const start = url.indexOf('?')
  const query: Record<string, string | string[]> = {}
  if (start < 0) return query
  const parameters = new URLSearchParams(url.slice(start + 1))
  if (parameters.size > MAX_QUERY_KEYS) throw new AppError('BAD_REQUEST', `The query has more than ${MAX_QUERY_KEYS} parameters.`)
  for (const [key, value] of parameters) {
    if (key === '__proto__') throw new AppError('BAD_REQUEST', 'The query uses "__proto__" as a parameter, which is not allowed.')
    const present = Object.hasOwn(query, key) ? query[key] : undefined
    query[key] = present === undefined ? value : Array.isArray(present) ? [...present, value] : [present, value]
  }
  return query
}

/** @throws AppError BAD_REQUEST where a header that must be unique comes twice */
export function refuseDuplicateHeaders(request: IncomingMessage): void {
  const { rawHeaders } = request
  const twice = SINGLE.find((name) => countHeader(rawHeaders, name) > 1)
  if (twice) throw new AppError('BAD_REQUEST', `The header ${twice} comes more than once.`)
}

/** Of a list of names and values in turns. */
function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index]
    if (given !== undefined && given.length === name.length && given.toLowerCase() === name) count += 1
  }
  return count
}

/** Express gives the segments of a wildcard as an array; services get one string. */
export function joinWildcards(params: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]))
}

/** The time the caller is still willing to wait, from `x-request-timeout-ms`; null when absent or absurd. */
export function deadlineOf(request: IncomingMessage): number | null {
  const header = request.headers['x-request-timeout-ms']
  const timeoutMs = typeof header === 'string' && /^\d{1,7}$/.test(header) ? Number(header) : 0
  return timeoutMs > 0 && timeoutMs <= 3_600_000 ? timeoutMs : null
}
