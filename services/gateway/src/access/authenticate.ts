import type { IncomingMessage } from 'node:http'
import type { TokenVerifier } from '@millrace/platform/access/oidc.ts'
import type { Rights } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { type Claims, isLoopback, localNames, refuseCrossSite, refuseLocal } from '../domain/local-access.ts'
import { isReserved } from '../domain/reserved-names.ts'
import type { Directory, Holder } from './directory.ts'
import { readKeyId } from './key-format.ts'
import type { KeyRing } from './key-ring.ts'
import type { Passwords } from './passwords.ts'

/** Name of the caller without a key on a loopback gateway. */
const LOCAL_USER = 'local-admin'

export interface Caller {
  readonly user: string
  readonly role: Role
  /** What the rate limit counts by. */
  readonly quota: string
  /** Left out where the role says it all. */
  readonly rights?: Rights
  /** The rights as they travel. */
  readonly rightsClaim?: string
}

export interface AuthenticateDeps {
  readonly keys: KeyRing
  readonly passwords: Passwords
  /** Of the OIDC issuer; null where none is configured. */
  readonly tokens: TokenVerifier | null
  readonly directory: Pick<Directory, 'rightsOf'>
  /** Address that the gateway is bound to. */
  readonly host: string
  readonly allowedHosts: readonly string[]
}

/** At once where memory tells; predictions wait for nothing else. */
export type Authenticate = (request: IncomingMessage) => Caller | Promise<Caller>

type Credential = { kind: 'bearer'; text: string } | { kind: 'basic'; name: string; password: string }

/**
 * Who calls: the holder of an API key (Bearer, `x-api-key`, or the password of Basic), of an account (Basic), of an OIDC token (Bearer), or, without any of these, on a
 * gateway bound to loopback, the local administrator. A credential that does not hold is refused even there.
 * @throws AppError UNAUTHENTICATED, PERMISSION_DENIED, MISDIRECTED_HOST, REQUEST_LIMIT_EXCEEDED
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const asLocalAdministrator = createLocalAccess(deps)
  const asCaller = (holder: Holder): Caller => ({ user: holder.user, role: holder.role, quota: holder.user, ...deps.directory.rightsOf(holder) })
  return function authenticate(request) {
    const credential = readCredential(request)
    if (!credential) return asLocalAdministrator(request)
    const found = credential.kind === 'bearer' ? findBearer(deps, credential.text) : findBasic(deps, credential)
    // A browser sends Basic credentials by itself, wherever a request comes from.
    const refusal = credential.kind === 'basic' ? refuseCrossSite(claimsOf(request)) : null
    if (found instanceof Promise) return found.then((holder) => (refusal ? refuseOrigin(refusal.message) : asCaller(holder)))
    return refusal ? refuseOrigin(refusal.message) : asCaller(found)
  }
}

const refuseOrigin = (message: string): never => {
  throw new AppError('PERMISSION_DENIED', message)
}

const NO_GROUPS: readonly string[] = []

function findKey({ keys }: AuthenticateDeps, key: string): Holder | null {
  const holder = keys.find(key)
  return holder && { user: holder.user, role: holder.role, groups: NO_GROUPS }
}

/** Three parts in base64url: an API key has no dot. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/

function findBearer(deps: AuthenticateDeps, text: string): Holder | Promise<Holder> {
  const { tokens } = deps
  const holder = findKey(deps, text) ?? tokens?.remembered(text)
  if (holder) return holder
  if (tokens && JWT.test(text)) return tokens.verify(text).then(refuseReserved)
  throw new AppError('UNAUTHENTICATED', 'The API key is unknown, expired or revoked: ask an administrator for another.')
}

/** An issuer must not make up Millrace's own names. */
function refuseReserved<Token extends Holder>(holder: Token): Token {
  if (!isReserved(holder.user)) return holder
  throw new AppError('UNAUTHENTICATED', `The token is refused: the user name ${JSON.stringify(holder.user)} is reserved.`)
}

function findBasic(deps: AuthenticateDeps, { name, password }: { name: string; password: string }): Holder | Promise<Holder> {
  const holder = findKey(deps, password)
  if (holder) return holder
  if (readKeyId(password) !== null) throw new AppError('UNAUTHENTICATED', 'The API key is unknown, expired or revoked: ask an administrator for another.')
  const account = deps.passwords.remembered(name, password)
  if (account) return { user: account.name, role: account.role, groups: NO_GROUPS }
  return deps.passwords.check(name, password).then(({ name: user, role }) => ({ user, role, groups: NO_GROUPS }))
}

/** @throws AppError UNAUTHENTICATED for a scheme that is not offered */
function readCredential(request: IncomingMessage): Credential | null {
  const own = request.headers['x-api-key']
  if (typeof own === 'string') return { kind: 'bearer', text: own }
  const header = request.headers.authorization
  if (header === undefined) return null
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', text: value }
  if (scheme.toLowerCase() !== 'basic')
    throw new AppError('UNAUTHENTICATED', 'The authorization header must be "Bearer <API key or token>", or Basic with a user name and a password or API key.')
  const pair = Buffer.from(value, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return { kind: 'basic', name: pair.slice(0, Math.max(colon, 0)), password: pair.slice(colon + 1) }
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
