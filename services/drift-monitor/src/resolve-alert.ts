import { driftResolved } from '@millrace/contracts/events/drift-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { endAlert, type Monitor } from './store/monitors.ts'
import { readPolicy } from './store/policies.ts'
import { newestWindow } from './store/windows.ts'

/** Ends the alert of a locked monitor, if it has one, and says why; the newest window closed goes along as the evidence. */
export async function resolveAlert(deps: Pick<DriftMonitorDeps, 'publish' | 'clock'>, tx: Sql, monitor: Monitor, reason: string): Promise<void> {
  const { model, alertId, closedUntil } = monitor
  if (alertId === null) return
  const now = deps.clock()
  const { cooldownMs } = await readPolicy(tx, model)
  const window = await newestWindow(tx, model)
  await endAlert(tx, model, closedUntil, new Date(now.getTime() + cooldownMs))
  const data = {
    alertId,
    model,
    version: window?.version ?? monitor.version ?? '',
    windowStart: (window?.startAt ?? now).toISOString(),
    windowEnd: (window?.endAt ?? now).toISOString(),
    rows: window?.rows ?? 0,
    referenceRows: window?.referenceRows ?? 0,
    reason,
    features: [...(window?.features ?? [])],
  }
  await deps.publish(tx, { definition: driftResolved, subject: model, data })
}
