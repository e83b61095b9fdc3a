/** A call to an address that a user named. The body goes out as it is. */
export interface OutsideRequest {
  /** Absolute `https:` URL without user name and password. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For the whole call: resolving, connecting, the answer's head and what is kept of its body. */
  readonly timeoutMs: number
  /** So many bytes of the answer's body are kept; the rest is never read. */
  readonly keepBytes: number
  readonly signal?: AbortSignal
}

export interface OutsideAnswer {
  readonly status: number
  readonly body: string
  /** The header of that name, unread. */
  readonly retryAfter: string | null
}

/** Why a host cannot be called. `detail` is the resolver's reason, or the address that is refused. */
export type HostProblem = { readonly kind: 'unresolvable'; readonly detail: string } | { readonly kind: 'not-public'; readonly detail: string }

/**
 * Calls what lies outside: the public internet and nothing else. Every address that a host resolves to must be public, the connection goes to one of the very
 * addresses that were checked, its peer is checked again, and a redirect is an answer like any other. Holds no connection between two calls.
 */
export interface OutsideClient {
  /** Resolves a host (a name, or an address as a URL spells it) and says what is wrong with it; null where it can be called now. */
  findProblem(hostname: string): Promise<HostProblem | null>
  /** @throws OutsideRefused for an address that is not public; TransientError when the receiver cannot be reached or time runs out; Error inside a transaction */
  post(request: OutsideRequest): Promise<OutsideAnswer>
}

/** The address is none that may be called. */
export class OutsideRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'OutsideRefused'
  }
}
