import type { IncomingMessage } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { type Claims, isLoopback, localNames, refuseCrossSite, refuseLocal } from '../domain/local-access.ts'
import type { KeyRing } from './key-ring.ts'

/** Name of the caller without a key on a loopback gateway. */
const LOCAL_USER = 'local-admin'

export interface Caller {
  readonly user: string
  readonly role: Role
  /** What the rate limit counts by. */
  readonly quota: string
}

export interface AuthenticateDeps {
  readonly keys: KeyRing
  /** Address that the gateway is bound to. */
  readonly host: string
  readonly allowedHosts: readonly string[]
}

interface Credential {
  readonly key: string
  /** A browser sends Basic credentials by itself, wherever a request comes from. */
  readonly ambient: boolean
}

/**
 * Who calls: the holder of an API key (Bearer, `x-api-key`, or the password of Basic), or, without one, on a gateway bound to loopback, the local administrator.
 * A key that does not hold is refused even there.
 * @throws AppError UNAUTHENTICATED, PERMISSION_DENIED, MISDIRECTED_HOST
 */
export function createAuthenticate(deps: AuthenticateDeps): (request: IncomingMessage) => Caller {
  const asLocalAdministrator = createLocalAccess(deps)
  return function authenticate(request) {
    const credential = readCredential(request)
    if (!credential) return asLocalAdministrator(request)
    const holder = deps.keys.find(credential.key)
    if (!holder) throw new AppError('UNAUTHENTICATED', 'The API key is unknown, expired or revoked: ask an administrator for another.')
    const refusal = credential.ambient ? refuseCrossSite(claimsOf(request)) : null
    if (refusal) throw new AppError('PERMISSION_DENIED', refusal.message)
    return { ...holder, quota: holder.user }
  }
}

/** @throws AppError UNAUTHENTICATED for a scheme that is not offered */
function readCredential(request: IncomingMessage): Credential | null {
  const own = request.headers['x-api-key']
  if (typeof own === 'string') return { key: own, ambient: false }
  const header = request.headers.authorization
  if (header === undefined) return null
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { key: value, ambient: false }
  if (scheme.toLowerCase() !== 'basic')
    throw new AppError('UNAUTHENTICATED', 'The authorization header must be "Bearer <API key>", or Basic with the API key as the password.')
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return { key: pair.slice(pair.indexOf(':') + 1), ambient: true }
}

/** The names are made once per port: this runs with every request. */
function createLocalAccess({ host, allowedHosts }: AuthenticateDeps): (request: IncomingMessage) => Caller {
  const isLocal = isLoopback(host)
  const namesOf = new Map<number, readonly string[]>()
  return function asLocalAdministrator(request) {
    const { remoteAddress = '', localPort = 0 } = request.socket
    if (!isLocal || !isLoopback(remoteAddress)) {
      throw new AppError('UNAUTHENTICATED', 'An API key is needed: send it as "authorization: Bearer <API key>" or "x-api-key: <API key>".')
    }
    const names = namesOf.get(localPort) ?? localNames(localPort, allowedHosts)
    namesOf.set(localPort, names)
    const refusal = refuseLocal(claimsOf(request), names)
    if (refusal?.kind === 'host') throw new AppError('MISDIRECTED_HOST', refusal.message)
    if (refusal) throw new AppError(refusal.kind === 'proxied' ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', refusal.message)
    return { user: LOCAL_USER, role: 'admin', quota: remoteAddress }
  }
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(', ') : value)

function claimsOf({ headers, method = 'GET' }: IncomingMessage): Claims {
  const proxied = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some((name) => headers[name] !== undefined)
  return { method, host: headers.host, origin: headers.origin, fetchSite: single(headers['sec-fetch-site']), proxied }
}
