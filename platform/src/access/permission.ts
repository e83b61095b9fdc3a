import { AppError } from '../errors.ts'
import type { Caller } from '../http/identity.ts'
import { levelOn, mayEverywhere, mayOn, type Need, type Resource, type ResourceKind } from './rights.ts'

/**
 * What a route asks of its caller. `public`: nothing; `caller`: to be known, for what tells of no experiment and no model; `service`: to be a service that calls for
 * itself; `admin`: the role; or a right on the resource that the request is about.
 */
export type Permission = 'public' | 'caller' | 'service' | 'admin' | ResourcePermission

export interface ResourcePermission {
  readonly resource: ResourceKind
  readonly needs: Need
  /** Which of the service's locators finds the resource; `listing`: the handler shows only what the caller may read. */
  readonly of: string
  /** The most that a request can come to need, where that is not `needs`. */
  readonly most?: Need
}

/** A resource that a request is about; `needs` where it is not what the route says. */
export type Located = Resource & { readonly needs?: Need }

export interface LocatorInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly caller: Caller
}

/** The resources that a request is about; none where they do not exist, for the handler to say so. */
export type Locator = (input: LocatorInput) => Promise<readonly Located[]>
export type Locators = Readonly<Record<string, Locator>>

export const LISTING = 'listing'

export const onExperiment = (needs: Need, of: string): ResourcePermission => ({ resource: 'experiment', needs, of })
export const onModel = (needs: Need, of: string, most: Need = needs): ResourcePermission => ({ resource: 'model', needs, of, most })

/**
 * Holds a request against its route's permission. Nothing is looked up for a caller who has the right on every resource.
 * @throws AppError PERMISSION_DENIED
 */
export async function authorize(permission: Permission | undefined, locators: Locators, input: LocatorInput): Promise<void> {
  if (typeof permission !== 'object' || permission.of === LISTING) return
  const { needs, most = needs } = permission
  if (mayEverywhere(input.caller, needs) && mayEverywhere(input.caller, most)) return
  const locate = locators[permission.of]
  if (!locate) throw new Error(`the service has no locator named ${permission.of}`)
  for (const resource of await locate(input)) requireOn(input.caller, resource.needs ?? needs, resource)
}

/** @throws AppError PERMISSION_DENIED that tells the name of the resource to those alone who may read it */
export function requireOn(caller: Caller, needs: Need, resource: Resource): void {
  if (!mayOn(caller, needs, resource)) throw denied(caller, needs, resource)
}

const WORDS: Readonly<Record<ResourceKind, string>> = { experiment: 'experiment', model: 'registered model' }

function denied(caller: Caller, needs: Need, resource: Resource): AppError {
  const level = levelOn(caller, resource)
  const what = level === 'NO_PERMISSIONS' ? `this ${WORDS[resource.kind]}` : `${WORDS[resource.kind]} '${resource.name}'`
  const cure = `ask for ${needs === 'CREATE' ? 'EDIT' : needs} on it`
  return new AppError('PERMISSION_DENIED', `Permission denied: '${caller.user}' has ${level} on ${what}, which does not include ${needs}: ${cure}.`)
}
