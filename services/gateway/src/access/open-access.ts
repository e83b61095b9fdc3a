import { createOidc, type TokenVerifier } from '@millrace/platform/access/oidc.ts'
import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import type { Clock } from '@millrace/platform/clock.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Dispatcher } from 'undici'
import type { GatewayConfig } from '../config.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { createCheckTold } from './check-told.ts'
import { createDirectory } from './directory.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { createOwners } from './owners.ts'
import { createPasswords } from './passwords.ts'
import type { AccessDeps } from './share.ts'

export interface OpenAccessDeps {
  readonly config: GatewayConfig
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly identity: ServiceIdentity
  readonly rateLimiters: RateLimiters
  readonly upstreams: Readonly<Record<'tracking' | 'registry', () => readonly string[]>>
  readonly dispatcher: Dispatcher
}

export interface Access {
  readonly keys: KeyRing
  readonly authenticate: Authenticate
  readonly checkTold: ReturnType<typeof createCheckTold>
  /** To be told of every path that was answered well: whoever made something is to use it at once. */
  readonly noteAnswered: (path: string, status: number) => void
  readonly sharing: AccessDeps
  /** Whether anybody can show who they are. */
  readonly configured: () => boolean
  readonly jobs: readonly Job[]
  readonly load: () => Promise<void>
}

const RELOAD_EVERY_MS = 10_000
const OWNERS_EVERY_MS = 5_000
const ISSUER_KEYS_EVERY_MS = 300_000
const CREATION = /\/(?:experiments|registered-models)\/create$/

/** Everything by which the gateway knows who calls and what they may do, in memory. */
export function openAccess(deps: OpenAccessDeps): Access {
  const { config, database, clock, log } = deps
  const keys = createKeyRing({ database, clock, adminKey: config.MILLRACE_ADMIN_KEY })
  const owners = createOwners(deps)
  const directory = createDirectory({ database, defaultPermission: config.GATEWAY_DEFAULT_PERMISSION, owners })
  const passwords = createPasswords({ accountOf: directory.account, limiters: deps.rateLimiters, clock })
  const tokens = openIssuer(config, clock)
  const { HOST: host, GATEWAY_ALLOWED_HOSTS: allowedHosts } = config
  const learnOwners = async (): Promise<void> => {
    await owners.refresh()
    directory.forget()
  }
  return {
    keys,
    authenticate: createAuthenticate({ keys, passwords, tokens, directory, host, allowedHosts }),
    checkTold: createCheckTold(owners),
    noteAnswered: (path, status) => {
      if (status === 200 && CREATION.test(path)) void learnOwners()
    },
    sharing: { database, clock, log, directory, owners },
    configured: () => keys.configured() || tokens !== null || directory.accounts().length > 0,
    jobs: [
      { name: 'refresh-grants', everyMs: RELOAD_EVERY_MS, run: () => directory.reload().then(() => false) },
      // Where the role says it all, nobody need know who made what.
      { name: 'refresh-owners', everyMs: OWNERS_EVERY_MS, run: async () => (directory.isUsed() ? learnOwners() : Promise.resolve()).then(() => false) },
      ...(tokens ? [{ name: 'refresh-issuer-keys', everyMs: ISSUER_KEYS_EVERY_MS, run: () => tokens.refresh().then(() => false) }] : []),
    ],
    load: async () => {
      await keys.reload()
      await directory.reload()
    },
  }
}

function openIssuer(config: GatewayConfig, clock: Clock): TokenVerifier | null {
  const { GATEWAY_OIDC_ISSUER: issuer, GATEWAY_OIDC_DEFAULT_ROLE: role } = config
  if (issuer === undefined) return null
  return createOidc({
    issuer,
    clock,
    audience: config.GATEWAY_OIDC_AUDIENCE,
    jwksUrl: config.GATEWAY_OIDC_JWKS_URL,
    algorithms: config.GATEWAY_OIDC_ALGORITHMS,
    clockSkewSeconds: config.GATEWAY_OIDC_CLOCK_SKEW_SECONDS,
    userClaim: config.GATEWAY_OIDC_USER_CLAIM,
    groupsClaim: config.GATEWAY_OIDC_GROUPS_CLAIM,
    roleClaim: config.GATEWAY_OIDC_ROLE_CLAIM,
    roleOf: config.GATEWAY_OIDC_ROLES,
    defaultRole: role === 'none' ? null : role,
  })
}
