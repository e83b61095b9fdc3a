import type { Caller } from '@millrace/platform/http/identity.ts'
import type { RouteRequest } from '@millrace/platform/http/route.ts'

/** Who makes a change, as it goes into audit rows and events. */
export interface Actor {
  readonly user: string
  readonly requestId: string
}

export const actorOf = (request: Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'requestId'>): Actor => ({
  user: request.caller.user,
  requestId: request.requestId,
})

/** A person (or a system with a key) as opposed to a sibling that calls for itself. */
export const isPerson = (caller: Caller): boolean => caller.user !== caller.service
