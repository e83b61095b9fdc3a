import type { Clock } from '@millrace/platform/clock.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import { type AuditEntry, insertEntries, removeEntriesBefore } from './audit-store.ts'

export interface Audit {
  /** Notes a call; written a moment later, so that no caller waits for it. */
  note(entry: Omit<AuditEntry, 'at'>): void
  readonly jobs: readonly Job[]
  /** Writes what is left. */
  flush(): Promise<void>
}

export interface AuditDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly keptDays: number
}

const WRITE_EVERY_MS = 500
const PRUNE_EVERY_MS = 3_600_000
const AT_ONCE = 500
/** What a database that is away may cost in memory; beyond it the newest are dropped, counted and logged. */
const MAX_WAITING = 10_000
const MAX_PATH = 2000

/** The record of administrative calls, in the gateway's own table. */
export function createAudit({ database, clock, log, metrics, keptDays }: AuditDeps): Audit {
  const waiting: AuditEntry[] = []
  const dropped = metrics.counter('gateway_audit_dropped_total', 'Administrative calls that could not be recorded because too many were waiting.')

  async function writeSome(): Promise<boolean> {
    const entries = waiting.slice(0, AT_ONCE)
    if (entries.length === 0) return false
    await insertEntries(database, entries)
    waiting.splice(0, entries.length)
    return waiting.length > 0
  }
  return {
    note(entry) {
      const noted = { ...entry, path: entry.path.slice(0, MAX_PATH), at: clock() }
      if (waiting.length < MAX_WAITING) {
        waiting.push(noted)
        return
      }
      dropped.add()
      log.error('An administrative call is not in the record: too many are waiting for the database', { ...noted })
    },
    jobs: [
      { name: 'write-audit', everyMs: WRITE_EVERY_MS, run: writeSome },
      { name: 'prune-audit', everyMs: PRUNE_EVERY_MS, run: () => removeEntriesBefore(database, new Date(clock().getTime() - keptDays * 86_400_000)) },
    ],
    async flush() {
      while (await writeSome());
    },
  }
}
