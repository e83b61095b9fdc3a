import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER_PREDICTION_ID, HEADER_ROUTING_KEY } from '@millrace/contracts/http/inference.ts'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { deadlineOf } from '@millrace/platform/http/request-input.ts'
import { isRequestId } from '@millrace/platform/telemetry/request-id.ts'
import type { ModelRights } from './permissions.ts'

/** Decoded path parameters; null where the path has none. */
export interface PathParams {
  readonly model: string | null
  readonly version: string | null
  readonly label: string | null
}

/** One request on the prediction path. */
export interface Exchange extends ModelRights {
  readonly request: IncomingMessage
  readonly requestId: string
  readonly params: PathParams
  readonly query: URLSearchParams
  /** `performance.now()` at the start, and when the caller no longer wants the answer. */
  readonly startedMs: number
  readonly deadlineMs: number
  /** Aborted when the client goes. */
  readonly signal: AbortSignal
}

/** A body that is made while it is sent, so that it is never held whole. */
export interface Pieces {
  readonly pieces: Iterable<string> | AsyncIterable<string | Uint8Array>
}

/** An answer; JSON where its headers name no other content type. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | Pieces
}

export const json = (body: unknown, headers: Record<string, string> = {}, status = 200): Reply => ({ status, headers, body: JSON.stringify(body) })

/** A signal that fires when the connection ends before the answer does. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}

/** The caller may only shorten the pod's own limit. */
export function deadlineFrom(request: IncomingMessage, startedMs: number, longestMs: number): number {
  return startedMs + Math.min(longestMs, deadlineOf(request) ?? longestMs)
}

const PREDICTION_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** The caller's id for this prediction where it gave a well-formed one, else a new one. Labels join on it. */
export function predictionIdOf(request: IncomingMessage, newId: NewId): string {
  const given = request.headers[HEADER_PREDICTION_ID]
  return typeof given === 'string' && PREDICTION_ID.test(given) ? given : newId()
}

export function requestIdOf(request: IncomingMessage, newId: NewId): string {
  const given = request.headers['x-request-id']
  return isRequestId(given) ? given : newId()
}

const MAX_ROUTING_KEY = 1024

/** What the split is sticky to: the header, else what the body says, else the prediction id, which is as good as random. */
export function routingKeyOf(request: IncomingMessage, inBody: unknown, predictionId: string): string {
  const header = request.headers[HEADER_ROUTING_KEY]
  const key = typeof header === 'string' && header !== '' ? header : typeof inBody === 'string' && inBody !== '' ? inBody : predictionId
  if (key.length > MAX_ROUTING_KEY) throw new AppError('BAD_REQUEST', `The routing key is longer than ${MAX_ROUTING_KEY} characters.`)
  return key
}

/** One value of a query parameter; null when absent. @throws AppError BAD_REQUEST when it comes twice or empty */
export function queryValue(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name)
  if (values.length > 1) throw new AppError('BAD_REQUEST', `The query parameter '${name}' comes ${values.length} times; give it once.`)
  if (values[0] === '') throw new AppError('BAD_REQUEST', `The query parameter '${name}' is empty; give it a value or leave it out.`)
  return values[0] ?? null
}
