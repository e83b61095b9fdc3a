import { holdsPromotion } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import type { RouteRequest } from '@millrace/platform/http/route.ts'

/** Who makes a change, as it goes into audit rows and events. */
export interface Actor {
  readonly user: string
  readonly requestId: string
  /** Whether what a model serves is this caller's to change; left out by the registry itself, which takes nothing down. */
  readonly mayPromote?: (model: string) => boolean
}

export const actorOf = (request: Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'requestId'>): Actor => ({
  user: request.caller.user,
  requestId: request.requestId,
  mayPromote: (name) => holdsPromotion(request.caller, { kind: 'model', name }),
})

/**
 * Taking what serves out of service changes what is answered as much as a promotion does.
 * @throws AppError PERMISSION_DENIED
 */
export function refuseTakingDown({ user, mayPromote }: Actor, model: string, production: number | null): void {
  if (mayPromote?.(model) || production === null) return
  throw new AppError(
    'PERMISSION_DENIED',
    `Version ${production} of model '${model}' is in Production: taking it out of service needs the role 'promoter' or 'admin', or the right to promote it, which '${user}' does not have. Ask somebody with that right, or promote another version first.`,
  )
}

/** A person (or a system with a key) as opposed to a sibling that calls for itself. */
export const isPerson = (caller: Caller): boolean => caller.user !== caller.service
