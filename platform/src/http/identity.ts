import type { Rights } from '../access/rights.ts'

/** Roles in ascending order: each includes the rights of those before it. */
export const roles = ['viewer', 'user', 'editor', 'promoter', 'admin'] as const
export type Role = (typeof roles)[number]

/**
 * What a route asks for. `public`: nobody in particular; `read`: viewer; `predict`: user; `write`: editor; `promote`: promoter; `admin`: admin;
 * `internal`: only another Millrace service.
 */
export type Access = 'public' | 'read' | 'predict' | 'write' | 'promote' | 'admin' | 'internal'

/** Who is calling, as proven by a signed token: `service` made the call, on behalf of `user` where the gateway says so. */
export interface Caller {
  readonly service: string
  /** Name for audit rows: the user's, or the service's own. */
  readonly user: string
  readonly role: Role
  /** Left out where the role says it all. */
  readonly rights?: Rights
}

const needed = { read: 'viewer', predict: 'user', write: 'editor', promote: 'promoter', admin: 'admin' } as const satisfies Partial<Record<Access, Role>>

/** A service that calls for itself may do all that a promoter may; `internal` asks for exactly that. */
export function mayAccess(caller: Caller | null, access: Access): boolean {
  if (access === 'public') return true
  if (!caller) return false
  if (access === 'internal') return caller.user === caller.service
  return roles.indexOf(caller.role) >= roles.indexOf(needed[access])
}

export interface OnBehalfOf {
  readonly user: string
  readonly role: Role
  /** The user's rights as `encodeRights` writes them; left out where the role says it all. */
  readonly rightsClaim?: string
}

/** Proves who a service is to its siblings with short-lived signed tokens. Only the gateway's tokens may speak for a user. */
export interface ServiceIdentity {
  readonly service: string
  /** A bearer token for `audience`; cached until shortly before it ends. `onBehalfOf` is honoured for the gateway alone. */
  sign(audience: string, onBehalfOf?: OnBehalfOf): Promise<string>
  /** @throws AppError UNAUTHENTICATED with the reason. */
  verify(bearer: string): Promise<Caller>
}
