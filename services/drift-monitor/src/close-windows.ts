import { driftDetected } from '@millrace/contracts/events/drift-events.ts'
import { inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import type { DriftPolicy } from '@millrace/contracts/http/drift.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { decideAlert, historyLength } from './domain/alert.ts'
import { mergeCounts, type WindowCounts } from './domain/feature-counts.ts'
import { judgeWindow } from './domain/judge-window.ts'
import { type PlannedWindow, planWindows } from './domain/plan-windows.ts'
import { paceJob } from './pace-job.ts'
import { resolveAlert } from './resolve-alert.ts'
import { deleteBuckets, listSpans, readBuckets } from './store/buckets.ts'
import { listCounting, lockMonitor, type Monitor, openAlert, saveClosedUntil } from './store/monitors.ts'
import { readPolicy } from './store/policies.ts'
import type { ReadReference } from './store/references.ts'
import { hasUncounted } from './store/uncounted-rows.ts'
import { type ClosedWindow, insertWindow, listOutcomes } from './store/windows.ts'

const EVERY_MS = 1000
/** The consumer group of InferenceLogged. */
export const COUNTING_GROUP = 'drift-monitor'

interface CloseDeps extends DriftMonitorDeps {
  readonly readReference: ReadReference
}

/** Closes the windows whose time has come, judges them, and fires or clears the alert: verdict and event commit together. */
export function createCloseWindows(deps: CloseDeps): Job {
  const job: Job = { name: 'close-windows', everyMs: EVERY_MS, run: (signal) => closeDue(deps, signal) }
  return paceJob(job, deps.config.DRIFT_COUNT_EVERY_MS)
}

async function closeDue(deps: CloseDeps, signal: AbortSignal): Promise<boolean> {
  const counting = await listCounting(deps.database)
  const logBehind = counting.length > 0 && (await isLogBehind(deps))
  for (const monitor of counting) {
    for (const planned of await planFor(deps, monitor, logBehind)) {
      if (signal.aborted) return false
      await deps.database.transaction((tx) => closeWindow(deps, tx, monitor, planned))
    }
  }
  return false
}

async function isLogBehind({ eventLog }: CloseDeps): Promise<boolean> {
  const lag = await eventLog.lag(COUNTING_GROUP, [inferenceLogged.topic])
  return Object.values(lag).some((records) => records > 0)
}

async function planFor({ database, clock }: CloseDeps, { model, generation, latestAt }: Monitor, logBehind: boolean): Promise<PlannedWindow[]> {
  const policy = await readPolicy(database, model)
  const behind = logBehind || (await hasUncounted(database, model, generation))
  return planWindows(await listSpans(database, model), policy, { nowMs: clock().getTime(), latestMs: latestAt?.getTime() ?? 0, behind })
}

async function closeWindow(deps: CloseDeps, tx: Sql, planned: Monitor, { startMs, endMs }: PlannedWindow): Promise<void> {
  const { model } = planned
  const monitor = await lockMonitor(tx, model)
  if (!monitor?.version || monitor.sinceGeneration !== planned.sinceGeneration) return
  const buckets = await readBuckets(tx, model, startMs, endMs)
  if (buckets.length === 0) return
  const rows = buckets.reduce((sum, bucket) => sum + bucket.rows, 0)
  const counts = buckets.reduce<WindowCounts>((sum, bucket) => mergeCounts(sum, bucket.counts), {})
  const profile = monitor.referenceState === 'ready' ? await deps.readReference(tx, monitor.artifactSha256) : null
  const policy = await readPolicy(tx, model)
  const window: ClosedWindow = {
    ...judgeWindow(profile, counts, rows, policy),
    model,
    sinceGeneration: monitor.sinceGeneration,
    version: monitor.version,
    startAt: new Date(startMs),
    endAt: new Date(endMs),
    rows,
    referenceRows: profile?.rows ?? 0,
  }
  await insertWindow(tx, window, counts, deps.clock())
  await deleteBuckets(tx, model, endMs)
  await saveClosedUntil(tx, model, window.endAt)
  await followUp(deps, tx, { ...monitor, closedUntil: window.endAt }, window, policy)
}

async function followUp(deps: CloseDeps, tx: Sql, monitor: Monitor, window: ClosedWindow, policy: DriftPolicy): Promise<void> {
  const { model, alertId, sinceGeneration, historyFrom, quietUntil } = monitor
  const { verdict, severity, driftedShare, rows } = window
  deps.log.info('Window judged', { model, version: window.version, verdict, severity, driftedShare, rows })
  const history = await listOutcomes(tx, model, sinceGeneration, historyFrom, historyLength(policy))
  const decision = decideAlert({ alertId, quietUntilMs: quietUntil?.getTime() ?? null }, history, policy, deps.clock().getTime())
  if (decision.kind === 'fire') await fire(deps, tx, window, decision.severity)
  if (decision.kind === 'clear') await resolveAlert(deps, tx, monitor, `${policy.clearAfter} good windows in a row`)
}

async function fire(deps: CloseDeps, tx: Sql, window: ClosedWindow, severity: string): Promise<void> {
  const { model, version, rows, referenceRows, driftedShare, features } = window
  const alertId = deps.newId()
  await openAlert(tx, model, alertId, severity)
  const bounds = { windowStart: window.startAt.toISOString(), windowEnd: window.endAt.toISOString() }
  const data = { alertId, model, version, ...bounds, rows, referenceRows, severity, driftedShare, features: [...features] }
  await deps.publish(tx, { definition: driftDetected, subject: model, data })
}
