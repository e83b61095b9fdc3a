import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { type Caller, mayAccess, type ServiceIdentity } from './identity.ts'
import type { Route } from './route.ts'

/** The caller of a public route who has not proven anything. */
export const anonymous: Caller = { service: '', user: 'anonymous', role: 'viewer' }

/**
 * Who calls a route, by the bearer token. On a public route a token that does not hold is as good as none.
 * @throws AppError UNAUTHENTICATED, PERMISSION_DENIED
 */
export async function authenticate(request: IncomingMessage, route: Route, identity: ServiceIdentity): Promise<Caller> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (route.access === 'public') return bearer ? identity.verify(bearer).catch(() => anonymous) : anonymous
  if (!bearer) throw new AppError('UNAUTHENTICATED', 'This route needs a signed token of a Millrace service: call it through the gateway.')
  const caller = await identity.verify(bearer)
  // Where grants reach further than the role, the right is looked at once the request tells on which resource.
  if ((caller.rights && typeof route.permission === 'object') || mayAccess(caller, route.access)) return caller
  throw new AppError('PERMISSION_DENIED', `${caller.user} has the role ${caller.role}, which does not include the right '${route.access}'.`)
}
