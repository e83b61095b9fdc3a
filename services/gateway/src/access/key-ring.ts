import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '@millrace/platform/clock.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { digestOf, readKeyId } from './key-format.ts'
import { listKeys, type StoredKey, saveLastUses } from './key-store.ts'

/** Name of the caller who shows MILLRACE_ADMIN_KEY. */
const ADMIN_USER = 'admin-key'

export interface KeyHolder {
  readonly user: string
  readonly role: Role
}

/** Keys in memory, so that no request waits for the database. */
export interface KeyRing {
  /** Whose key it is; null for one that does not exist, has expired or was revoked. */
  find(key: string): KeyHolder | null
  /** Reads the keys again: after a change, and now and then because another gateway may have made one. */
  reload(): Promise<void>
  /** Writes down when keys were last used. */
  flush(): Promise<void>
  /** Whether there is any key to authenticate with. */
  configured(): boolean
}

export function createKeyRing(deps: { database: Database; clock: Clock; adminKey: string | undefined }): KeyRing {
  const { database, clock } = deps
  const adminDigest = deps.adminKey === undefined ? null : digestOf(deps.adminKey)
  let keys: ReadonlyMap<string, StoredKey> = new Map()
  let uses = new Map<string, Date>()

  return {
    find(key) {
      const digest = digestOf(key)
      if (adminDigest && timingSafeEqual(digest, adminDigest)) return { user: ADMIN_USER, role: 'admin' }
      const stored = keys.get(readKeyId(key) ?? '')
      if (!stored || !timingSafeEqual(digest, stored.sha256)) return null
      const now = clock()
      if (stored.expiresAt && stored.expiresAt <= now) return null
      uses.set(stored.keyId, now)
      return { user: stored.name, role: stored.role }
    },
    async reload() {
      keys = new Map((await listKeys(database)).map((key) => [key.keyId, key]))
    },
    async flush() {
      if (uses.size === 0) return
      const noted = uses
      uses = new Map()
      await saveLastUses(database, noted)
    },
    configured: () => adminDigest !== null || keys.size > 0,
  }
}
