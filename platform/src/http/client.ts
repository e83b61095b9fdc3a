import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Method } from './route.ts'

export interface CallOptions<Response extends z.ZodType> {
  readonly method: Method
  /** Path with its query; segments must be encoded by the caller (`encodeURIComponent`). */
  readonly path: string
  readonly body?: unknown
  readonly stream?: Readable
  readonly headers?: Readonly<Record<string, string>>
  readonly response: Response
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Calls one sibling service with a signed token. Idempotent methods, and any call with an `idempotency-key` header, are retried on transient faults.
 * @throws AppError with the sibling's code and message for a refusal; TransientError when it cannot be reached, answers 5xx, or time runs out; Error inside a transaction.
 */
export interface ServiceClient {
  call<Response extends z.ZodType>(options: CallOptions<Response>): Promise<z.infer<Response>>
  /** Streams a body, such as an artifact. */
  download(path: string, options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<Readable>
}

export interface IfChangedOptions<Response extends z.ZodType> {
  readonly path: string
  /** The tag of what the caller holds; null asks unconditionally. */
  readonly etag: string | null
  readonly response: Response
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A client that can also ask whether something has changed. */
export interface ConditionalClient extends ServiceClient {
  /** GET with `if-none-match`: null while the sibling still has what `etag` names (304). Retried and refused as `call`. */
  ifChanged<Response extends z.ZodType>(options: IfChangedOptions<Response>): Promise<{ body: z.infer<Response>; etag: string | null } | null>
}
