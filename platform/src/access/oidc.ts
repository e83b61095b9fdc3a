import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { AppError, TransientError } from '../errors.ts'
import { type Role, roles } from '../http/identity.ts'

/** Signatures that somebody who knows the public key cannot make: neither `none` nor HMAC, whatever the token says. */
export const oidcAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
export type OidcAlgorithm = (typeof oidcAlgorithms)[number]

export interface OidcOptions {
  readonly issuer: string
  readonly audience: string
  /** Where the keys are; looked up at the issuer (OpenID Connect Discovery 1.0) where left out. */
  readonly jwksUrl?: string | undefined
  readonly algorithms: readonly OidcAlgorithm[]
  readonly clockSkewSeconds: number
  /** Claims, by path: `realm_access.roles`. */
  readonly userClaim: string
  readonly groupsClaim: string
  readonly roleClaim: string
  /** Role by value of the role claim; a value that is the name of a role needs no entry. */
  readonly roleOf: ReadonlyMap<string, Role>
  /** Of a token without a role; null refuses it. */
  readonly defaultRole: Role | null
  readonly clock: Clock
  /** Tokens with keys that are unknown make at most one call to the issuer in this time. */
  readonly cooldownMs?: number
}

export interface TokenHolder {
  readonly user: string
  readonly role: Role
  readonly groups: readonly string[]
}

export interface TokenVerifier {
  /** Whose token it is, where that was found out lately. */
  remembered(token: string): TokenHolder | null
  /** @throws AppError UNAUTHENTICATED with the reason; TransientError while the issuer's keys cannot be had */
  verify(token: string): Promise<TokenHolder>
  /** Fetches the issuer's keys anew, so that no request need wait for them. @throws TransientError */
  refresh(): Promise<void>
}

const FETCH_TIMEOUT_MS = 5000
const COOLDOWN_MS = 30_000
const REMEMBERED = 10_000
const REMEMBERED_MS = 60_000
const MAX_GROUPS = 200

type Keys = ReturnType<typeof createRemoteJWKSet>

/** Verifies the JWTs of one OIDC issuer with its published keys. */
export function createOidc(options: OidcOptions): TokenVerifier {
  const { clock } = options
  const held = new LRUCache<string, { holder: TokenHolder; untilMs: number }>({ max: REMEMBERED })
  let keys: Keys | null = null
  const open = async (): Promise<Keys> => {
    keys ??= createRemoteJWKSet(new URL(options.jwksUrl ?? (await discover(options.issuer))), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: options.cooldownMs ?? COOLDOWN_MS,
      cacheMaxAge: Number.POSITIVE_INFINITY,
    })
    return keys
  }
  return {
    remembered(token) {
      const entry = held.get(token)
      return entry && entry.untilMs > clock().getTime() ? entry.holder : null
    },
    async verify(token) {
      const payload = await verifyToken(options, await open(), token)
      const holder = readHolder(options, payload)
      const endMs = ((payload.exp ?? 0) + options.clockSkewSeconds) * 1000
      held.set(token, { holder, untilMs: Math.min(endMs, clock().getTime() + REMEMBERED_MS) })
      return holder
    },
    async refresh() {
      const current = await open()
      await current.reload().catch((cause: unknown) => {
        throw new TransientError(`The keys of ${options.issuer} cannot be fetched`, { cause })
      })
    },
  }
}

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

async function discover(issuer: string): Promise<string> {
  try {
    const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      redirect: 'error',
    })
    const found = discovery.parse(await answer.json())
    if (found.issuer !== issuer) throw new Error(`it calls itself ${found.issuer}`)
    return found.jwks_uri
  } catch (cause) {
    throw new TransientError(`The OIDC issuer ${issuer} does not tell where its keys are`, { cause })
  }
}

async function verifyToken(options: OidcOptions, keys: Keys, token: string): Promise<JWTPayload> {
  const { issuer, audience, algorithms, clockSkewSeconds, clock } = options
  try {
    const checks = { issuer, audience, algorithms: [...algorithms], clockTolerance: clockSkewSeconds, currentDate: clock(), requiredClaims: ['exp'] }
    return (await jwtVerify(token, keys, checks)).payload
  } catch (cause) {
    throw explain(options, cause)
  }
}

function explain({ issuer, audience, algorithms }: OidcOptions, cause: unknown): unknown {
  if (cause instanceof errors.JWTExpired) return refuse('it has expired: sign in again', cause)
  if (cause instanceof errors.JWTClaimValidationFailed) return refuse(claimProblem(cause.claim, issuer, audience), cause)
  if (cause instanceof errors.JOSEAlgNotAllowed || cause instanceof errors.JOSENotSupported)
    return refuse(`its algorithm is not one of those allowed here (${algorithms.join(', ')})`, cause)
  if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys)
    return refuse('it is signed with a key that the issuer does not publish', cause)
  if (cause instanceof errors.JWTInvalid || cause instanceof errors.JWSInvalid || cause instanceof errors.JWSSignatureVerificationFailed)
    return refuse('its signature or form does not hold', cause)
  return new TransientError(`The keys of ${issuer} cannot be fetched`, { cause })
}

function claimProblem(claim: string, issuer: string, audience: string): string {
  if (claim === 'iss') return `it was not issued by ${issuer}`
  if (claim === 'aud') return `it is not meant for the audience '${audience}'`
  return claim === 'nbf' ? 'it is not valid yet' : `its claim '${claim}' is missing or does not hold`
}

const refuse = (reason: string, cause?: unknown): AppError => new AppError('UNAUTHENTICATED', `The token is refused: ${reason}.`, { cause })

/** The texts under a path of claims: one, or a list. */
function textsAt(payload: JWTPayload, path: string): string[] {
  const object = z.record(z.string(), z.unknown())
  let value: unknown = payload[path]
  if (value === undefined) value = path.split('.').reduce<unknown>((at, key) => object.safeParse(at).data?.[key], payload)
  return (Array.isArray(value) ? value : [value]).filter((text): text is string => typeof text === 'string' && text !== '')
}

function readHolder(options: OidcOptions, payload: JWTPayload): TokenHolder {
  const [user] = textsAt(payload, options.userClaim)
  if (user === undefined || user.length > 256 || /\p{Cc}/u.test(user)) throw refuse(`its claim '${options.userClaim}' names no user`)
  const claimed = textsAt(payload, options.roleClaim).flatMap((value) => options.roleOf.get(value) ?? roles.find((role) => role === value) ?? [])
  const role = roles.findLast((candidate) => claimed.includes(candidate)) ?? options.defaultRole
  if (!role) throw refuse(`its claim '${options.roleClaim}' names no role that is known here`)
  return { user, role, groups: textsAt(payload, options.groupsClaim).slice(0, MAX_GROUPS).sort(byCode) }
}

const byCode = (left: string, right: string): number => (left < right ? -1 : 1)
