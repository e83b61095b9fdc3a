import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Permission } from '../access/permission.ts'
import type { Access, Caller } from './identity.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** `mlflow`: `{error_code, message}`; `problem`: RFC 9457; `oip`: `{error}`. */
export type ErrorDialect = 'mlflow' | 'problem' | 'oip'

export interface RouteRequest<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly headers: IncomingHttpHeaders
  /** Who calls; on `public` routes possibly nobody. */
  readonly caller: Caller
  readonly requestId: string
  readonly signal: AbortSignal
  /** The raw body, for routes that declare `rawBody`. */
  readonly stream: Readable
}

/** What a handler returns; nobody else touches the response. `stream` bodies are piped with back-pressure and destroyed when the client goes. */
export interface RouteResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly stream?: Readable
}

export const ok = (body: unknown, headers?: Record<string, string>): RouteResponse => ({ status: 200, body, ...(headers ? { headers } : {}) })
export const created = (body: unknown, headers?: Record<string, string>): RouteResponse => ({ status: 201, body, ...(headers ? { headers } : {}) })
export const noContent: RouteResponse = { status: 204 }
export const bytes = (stream: Readable, headers: Record<string, string>): RouteResponse => ({ status: 200, headers, stream })

export interface Route {
  readonly method: Method
  /** Express 5 path: `/api/v1/models/:name`, `/artifacts/*path`. A wildcard's value is one decoded string, its segments joined by `/`. */
  readonly path: string
  readonly access: Access
  /** What the caller must be allowed to do to the resource; stands in for `access` where it names one. A route without it is a fault that the checks find. */
  readonly permission?: Permission
  readonly errors: ErrorDialect
  /** The body is left unread in `request.stream`. */
  readonly rawBody: boolean
  /** Largest JSON body in bytes. */
  readonly maxBodyBytes: number
  readonly summary: string
  readonly schema: { readonly params?: z.ZodType; readonly query?: z.ZodType; readonly body?: z.ZodType; readonly response?: z.ZodType }
  readonly handle: (request: RouteRequest<unknown, unknown, unknown>) => Promise<RouteResponse>
}

type Parsed<Schema> = Schema extends z.ZodType ? z.infer<Schema> : Record<string, never>
type ParsedBody<Schema> = Schema extends z.ZodType ? z.infer<Schema> : undefined

interface RouteOptions<P, Q, B> {
  method: Method
  path: string
  access: Access
  permission?: Permission
  summary: string
  errors?: ErrorDialect
  rawBody?: boolean
  maxBodyBytes?: number
  params?: P
  query?: Q
  body?: B
  response?: z.ZodType
  handle: (request: RouteRequest<Parsed<P>, Parsed<Q>, ParsedBody<B>>) => Promise<RouteResponse>
}

const MAX_JSON_BYTES = 1_048_576

/** A typed route: parameters, query and body are parsed by their schemas before `handle` runs; a mismatch answers 400 naming every problem. */
export function route<P extends z.ZodType | undefined = undefined, Q extends z.ZodType | undefined = undefined, B extends z.ZodType | undefined = undefined>(
  options: RouteOptions<P, Q, B>,
): Route {
  const { params, query, body, response } = options
  const schema = { ...(params ? { params } : {}), ...(query ? { query } : {}), ...(body ? { body } : {}), ...(response ? { response } : {}) }
  return {
    method: options.method,
    path: options.path,
    access: options.access,
    ...(options.permission === undefined ? {} : { permission: options.permission }),
    summary: options.summary,
    errors: options.errors ?? 'problem',
    rawBody: options.rawBody ?? false,
    maxBodyBytes: options.maxBodyBytes ?? MAX_JSON_BYTES,
    schema,
    // The cast is sound: the host parses with `schema`, made of the very schemas that P, Q and B were inferred from.
    handle: options.handle as Route['handle'],
  }
}
