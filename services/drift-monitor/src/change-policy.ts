import type { DriftPolicy } from '@millrace/contracts/http/drift.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { shortenedEnd } from './domain/place-row.ts'
import { listSpans, saveEnd } from './store/buckets.ts'
import { lockMonitor } from './store/monitors.ts'
import { savePolicy } from './store/policies.ts'

/** Stores the model's policy; a shorter period also cuts the buckets that are open. */
export const createChangePolicy = ({ database, clock, log }: Pick<DriftMonitorDeps, 'database' | 'clock' | 'log'>) =>
  async function changePolicy(model: string, policy: DriftPolicy, changedBy: string): Promise<void> {
    await database.transaction(async (tx) => {
      await lockMonitor(tx, model)
      await savePolicy(tx, model, policy, changedBy, clock())
      for (const span of await listSpans(tx, model)) {
        const endMs = shortenedEnd(span, policy.windowMs)
        if (endMs < span.endMs) await saveEnd(tx, model, span.startMs, endMs)
      }
    })
    log.info('Drift policy changed', { model, changedBy })
  }
