import type { DriftPolicy, DriftWindow } from '@millrace/contracts/http/drift.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { listSpans } from './store/buckets.ts'
import { findMonitor, type Monitor } from './store/monitors.ts'
import { hasPolicy, readPolicy } from './store/policies.ts'
import { type ClosedWindow, type LabelledWindow, listLabelledWindows } from './store/windows.ts'

const SHOWN_WINDOWS = 20

/** How the model's traffic stands: alert, policy, reference, and the newest windows with the one that is still open. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createReadStatus = ({ database, clock }: { database: Database; clock: () => Date }) =>
  async function readStatus(model: string) {
    const monitor = await findMonitor(database, model)
    if (!monitor && !(await hasPolicy(database, model))) {
      throw new AppError('RESOURCE_DOES_NOT_EXIST', `Nothing is known of a model ${JSON.stringify(model)}: it was never in production and has no drift policy.`)
    }
    const policy = await readPolicy(database, model)
    const closed = await listLabelledWindows(database, model, SHOWN_WINDOWS)
    const open = monitor ? await readOpenWindow(database, monitor, policy, clock()) : []
    return {
      model,
      version: monitor?.version ?? null,
      state: stateOf(monitor, closed),
      alertId: monitor?.alertId ?? null,
      severity: monitor?.alertSeverity ?? 'none',
      reference: monitor && { state: monitor.referenceState, problem: monitor.referenceProblem },
      policy,
      windows: [...open, ...closed.map(shown)],
    }
  }

function stateOf(monitor: Monitor | null, windows: readonly ClosedWindow[]): 'ok' | 'drifting' | 'unknown' {
  if (monitor?.alertId) return 'drifting'
  const judged = windows.some((window) => window.sinceGeneration === monitor?.sinceGeneration && ['ok', 'drift'].includes(window.verdict))
  return judged ? 'ok' : 'unknown'
}

function shown(window: LabelledWindow): DriftWindow {
  const { model, version, rows, verdict, severity, driftedShare, startAt, endAt, labelledRows, correct } = window
  const realised = labelledRows === 0 ? null : { labelledRows, accuracy: correct / labelledRows }
  const bounds = { windowStart: startAt.toISOString(), windowEnd: endAt.toISOString() }
  return { model, version, ...bounds, rows, verdict, severity, driftedShare, features: [...window.features], realised }
}

/** The window that would close next: `open` until its period is over, `insufficient_data` while it waits for rows after that. */
async function readOpenWindow(database: Database, { model, version }: Monitor, policy: DriftPolicy, now: Date): Promise<DriftWindow[]> {
  const spans = await listSpans(database, model)
  const [first] = spans
  const last = spans.at(-1)
  if (!first || !last || version === null) return []
  const rows = spans.reduce((sum, span) => sum + span.rows, 0)
  const overdue = now.getTime() >= first.endMs + policy.latenessMs && rows < policy.minWindowRows
  const bounds = { windowStart: new Date(first.startMs).toISOString(), windowEnd: new Date(last.endMs).toISOString() }
  return [{ model, version, ...bounds, rows, verdict: overdue ? 'insufficient_data' : 'open', severity: 'none', driftedShare: 0, features: [] }]
}
