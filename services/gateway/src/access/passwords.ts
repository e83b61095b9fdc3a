import { createHash } from 'node:crypto'
import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import type { Clock } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Account } from './account-store.ts'
import { createBoundedMap } from './bounded-map.ts'
import { checkPassword } from './password.ts'

const FAILURES_PER_MINUTE = 10
const REMEMBERED = 1000
const REMEMBERED_MS = 60_000
/** Each check takes 32 MiB and a thread for some 80 ms. */
const CHECKS_AT_ONCE = 8

export interface Passwords {
  /** The account that the password is of, where that was found out lately. */
  remembered(name: string, password: string): Account | null
  /** @throws AppError UNAUTHENTICATED, REQUEST_LIMIT_EXCEEDED */
  check(name: string, password: string): Promise<Account>
}

/** Checks passwords, slowly once and then from memory: predictions must not pay for the hash with every request. */
export function createPasswords(deps: { accountOf: (name: string) => Account | null; limiters: RateLimiters; clock: Clock }): Passwords {
  const { accountOf, clock } = deps
  const failures = deps.limiters({ name: 'passwords', limit: FAILURES_PER_MINUTE, seconds: 60 })
  const held = createBoundedMap<{ hash: string; untilMs: number }>(REMEMBERED)
  let underWay = 0

  async function refuseAfterFailures(name: string): Promise<void> {
    const { used, resetMs } = await failures.look(name)
    if (used < FAILURES_PER_MINUTE) return
    throw new AppError('REQUEST_LIMIT_EXCEEDED', 'Too many wrong passwords for this user: wait a minute.', { details: { retryAfterSeconds: resetMs / 1000 } })
  }
  async function checkSlowly(name: string, password: string): Promise<Account> {
    const account = accountOf(name)
    if (await checkPassword(password, account?.passwordHash ?? null)) if (account) return account
    await failures.count(name)
    throw new AppError('UNAUTHENTICATED', 'The user name or the password is wrong. An API key is sent as the password, whatever the user name.')
  }
  return {
    remembered(name, password) {
      const entry = held.get(digest(name, password))
      const account = entry ? accountOf(name) : null
      return entry && account && account.passwordHash === entry.hash && entry.untilMs > clock().getTime() ? account : null
    },
    async check(name, password) {
      await refuseAfterFailures(name)
      if (underWay >= CHECKS_AT_ONCE) throw new AppError('TEMPORARILY_UNAVAILABLE', 'Too many sign-ins at once: try again.')
      underWay += 1
      try {
        const account = await checkSlowly(name, password)
        held.set(digest(name, password), { hash: account.passwordHash, untilMs: clock().getTime() + REMEMBERED_MS })
        return account
      } finally {
        underWay -= 1
      }
    },
  }
}

/** Passwords themselves are not kept in memory. */
const digest = (name: string, password: string): string =>
  createHash('sha256')
    .update(JSON.stringify([name, password]))
    .digest('base64')
