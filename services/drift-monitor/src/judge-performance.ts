import { performanceDegraded } from '@millrace/contracts/events/drift-events.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { judgeAccuracy } from './domain/judge-accuracy.ts'
import { paceJob } from './pace-job.ts'
import { lockMonitor, savePerformanceAlert } from './store/monitors.ts'
import { listJudgedModels, readPolicy } from './store/policies.ts'
import { type LabelledWindow, listLabelledWindows } from './store/windows.ts'

const EVERY_MS = 5000
/** Labels come late: how many windows back they are still looked for. */
const WINDOWS = 50
const DEFAULT_LABELLED_ROWS = 100
/** A look joins all labels of the newest windows: ten times as rare as counting. */
const PACE = 10

/** Compares the labels that came with what was predicted, and says once per fall that quality is below the policy's limit. */
export function createJudgePerformance(deps: DriftMonitorDeps): Job {
  const job: Job = {
    name: 'judge-performance',
    everyMs: EVERY_MS,
    async run() {
      for (const model of await listJudgedModels(deps.database)) await deps.database.transaction((tx) => judgeModel(deps, tx, model))
      return false
    },
  }
  return paceJob(job, PACE * deps.config.DRIFT_COUNT_EVERY_MS)
}

async function judgeModel(deps: DriftMonitorDeps, tx: Sql, model: string): Promise<void> {
  const monitor = await lockMonitor(tx, model)
  const { minAccuracy, minLabelledRows = DEFAULT_LABELLED_ROWS } = await readPolicy(tx, model)
  if (!monitor || minAccuracy === undefined) return
  const windows = await listLabelledWindows(tx, model, WINDOWS)
  const mature = windows.find((window) => window.sinceGeneration === monitor.sinceGeneration && window.labelledRows >= minLabelledRows)
  if (!mature) return
  const verdict = judgeAccuracy(mature, minAccuracy)
  if (verdict === 'good' && monitor.performanceAlertId !== null) await savePerformanceAlert(tx, model, null)
  if (verdict === 'degraded' && monitor.performanceAlertId === null) await raise(deps, tx, mature, minAccuracy)
}

async function raise(deps: DriftMonitorDeps, tx: Sql, window: LabelledWindow, limit: number): Promise<void> {
  const { model, version, rows, referenceRows, labelledRows, correct } = window
  const alertId = deps.newId()
  await savePerformanceAlert(tx, model, alertId)
  const bounds = { windowStart: window.startAt.toISOString(), windowEnd: window.endAt.toISOString() }
  const data = { alertId, model, version, ...bounds, rows, referenceRows, metric: 'accuracy', value: correct / labelledRows, limit, labelledRows }
  await deps.publish(tx, { definition: performanceDegraded, subject: model, data })
  deps.log.info('Quality is below the limit', { model, version, accuracy: data.value, limit, labelledRows })
}
