import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { decodeRights } from '../access/rights-claim.ts'
import { type Clock, systemClock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { type Caller, type Role, roles, type ServiceIdentity } from './identity.ts'

const ALGORITHM = 'EdDSA'
const LIFETIME_SECONDS = 60
const REUSE_MS = 30_000
/** Private claim with what the user may do beside what the role says. */
const RIGHTS_CLAIM = 'rights'
const CACHED_TOKENS = 10_000
/** The only service whose tokens may speak for a user. */
const SPEAKS_FOR_USERS = 'gateway'

interface Keys {
  readonly service: string
  readonly privateKey: KeyObject
  readonly publicKeys: ReadonlyMap<string, KeyObject>
  readonly clock?: Clock
}

/** Fresh Ed25519 keys for services that share one process; they die with it. */
export function createKeyRing(services: readonly string[], clock: Clock = systemClock): { identityOf(service: string): ServiceIdentity } {
  const pairs = new Map(services.map((service) => [service, generateKeyPairSync('ed25519')]))
  const publicKeys = new Map([...pairs].map(([service, pair]) => [service, pair.publicKey]))
  return {
    identityOf(service) {
      const pair = pairs.get(service)
      if (!pair) throw new Error(`the key ring has no key for ${service}: it was made for ${services.join(', ')}`)
      return createSignedIdentity({ service, privateKey: pair.privateKey, publicKeys, clock })
    },
  }
}

/** The identity of a service that runs alone: its own private key, and everybody's public keys by service name. */
export function createIdentity(options: { service: string; privateKeyJwk: JWK; publicJwks: Readonly<Record<string, JWK>>; clock?: Clock }): ServiceIdentity {
  const { service, privateKeyJwk, publicJwks, clock } = options
  const publicKeys = new Map(Object.entries(publicJwks).map(([name, key]) => [name, createPublicKey({ key, format: 'jwk' })]))
  return createSignedIdentity({ service, privateKey: createPrivateKey({ key: privateKeyJwk, format: 'jwk' }), publicKeys, ...(clock ? { clock } : {}) })
}

function createSignedIdentity(keys: Keys): ServiceIdentity {
  const clock = keys.clock ?? systemClock
  return { service: keys.service, sign: createSign(keys, clock), verify: createVerify(keys, clock) }
}

function createSign(keys: Keys, clock: Clock): ServiceIdentity['sign'] {
  const { service, privateKey } = keys
  const signed = new LRUCache<string, { token: string; until: number }>({ max: CACHED_TOKENS })
  return async function sign(audience, onBehalfOf) {
    const { user, role, rightsClaim } = onBehalfOf ?? { user: service, role: 'promoter' as const, rightsClaim: undefined }
    if (onBehalfOf) refuseToImpersonate(service, keys, user)
    const key = JSON.stringify([audience, user, role, rightsClaim])
    const now = clock().getTime()
    const cached = signed.get(key)
    if (cached && cached.until > now) return cached.token
    const seconds = Math.floor(now / 1000)
    const token = await new SignJWT(rightsClaim === undefined ? { role } : { role, [RIGHTS_CLAIM]: rightsClaim })
      .setProtectedHeader({ alg: ALGORITHM, kid: service })
      .setIssuer(service)
      .setSubject(user)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + LIFETIME_SECONDS)
      .sign(privateKey)
    signed.set(key, { token, until: now + REUSE_MS })
    return token
  }
}

/** A user with the name of a service would pass for that service itself. */
function refuseToImpersonate(service: string, keys: Keys, user: string): void {
  if (service !== SPEAKS_FOR_USERS) throw new Error(`${service} cannot speak for a user: only the ${SPEAKS_FOR_USERS} can`)
  if (keys.publicKeys.has(user)) throw new AppError('PERMISSION_DENIED', `The user name ${JSON.stringify(user)} is reserved for a service.`)
}

function createVerify(keys: Keys, clock: Clock): ServiceIdentity['verify'] {
  const verified = new LRUCache<string, { caller: Caller; until: number }>({ max: CACHED_TOKENS })
  return async function verify(bearer) {
    const now = clock()
    const cached = verified.get(bearer)
    if (cached && cached.until > now.getTime()) return cached.caller
    const payload = await verifyToken(keys, bearer, now)
    const caller = readCaller(payload)
    verified.set(bearer, { caller, until: (payload.exp ?? 0) * 1000 })
    return caller
  }
}

async function verifyToken(keys: Keys, bearer: string, currentDate: Date): Promise<JWTPayload> {
  try {
    const { kid } = decodeProtectedHeader(bearer)
    const publicKey = keys.publicKeys.get(kid ?? '')
    if (!kid || !publicKey) throw refuse('it names no service that is known here')
    const required = { issuer: kid, audience: keys.service, algorithms: [ALGORITHM], requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'role'] }
    const { payload } = await jwtVerify(bearer, publicKey, { ...required, currentDate, clockTolerance: 5, maxTokenAge: LIFETIME_SECONDS })
    return payload
  } catch (cause) {
    throw explain(cause)
  }
}

function explain(cause: unknown): unknown {
  if (cause instanceof AppError) return cause
  if (cause instanceof errors.JWTExpired) return refuse('it has expired', cause)
  if (cause instanceof errors.JWTClaimValidationFailed)
    return refuse(cause.claim === 'aud' ? 'it is meant for another service' : `its claim ${cause.claim} does not hold`, cause)
  if (cause instanceof errors.JOSEError || cause instanceof TypeError) return refuse('its signature or form does not hold', cause)
  return cause
}

function readCaller(payload: JWTPayload): Caller {
  const { iss, sub, role } = payload
  const known = roles.find((candidate) => candidate === role)
  if (!iss || !sub || !known) throw refuse('it has no known role')
  if (sub === iss) return { service: iss, user: iss, role: 'promoter' satisfies Role }
  if (iss !== SPEAKS_FOR_USERS) throw refuse(`${iss} may not speak for a user`)
  const claim = payload[RIGHTS_CLAIM]
  if (claim === undefined) return { service: iss, user: sub, role: known }
  const rights = decodeRights(claim)
  if (!rights) throw refuse('its rights cannot be read')
  return { service: iss, user: sub, role: known, rights }
}

const refuse = (reason: string, cause?: unknown): AppError => new AppError('UNAUTHENTICATED', `The token is refused: ${reason}.`, { cause })
