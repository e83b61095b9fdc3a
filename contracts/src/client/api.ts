import type { z } from 'zod'

export interface ApiCall<Response extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with its query, encoded. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Raw content, opened anew for every attempt. */
  readonly content?: () => AsyncIterable<Uint8Array>
  /** With `idempotency-key` the answer to a repeated call is that of the first. */
  readonly headers?: Readonly<Record<string, string>>
  readonly response: Response
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** One Millrace, however it is reached: over HTTP from outside (`connectApi`), or signed from one service to another. Errors carry the server's error code as `code`. */
export interface Api {
  call<Response extends z.ZodType>(call: ApiCall<Response>): Promise<z.infer<Response>>
}

/** What every call of a client takes last. */
export interface CallSettings {
  readonly signal?: AbortSignal | undefined
}

/** The server's error code, where the error is an answer of the server. */
export const codeOf = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null

/** Encodes a path segment by segment. */
export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/')
