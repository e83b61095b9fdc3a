import { PREDICTED_CLASS_FEATURE } from '@millrace/contracts/model/reference-profile.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { countRows, mergeCounts } from './domain/feature-counts.ts'
import { placeRow, type Span } from './domain/place-row.ts'
import { paceJob } from './pace-job.ts'
import { listSpans, readBuckets, type StoredBucket, saveBuckets } from './store/buckets.ts'
import { savePredictions } from './store/labels.ts'
import { lockMonitor, type Monitor, saveLatest } from './store/monitors.ts'
import { readPolicy } from './store/policies.ts'
import type { ReadReference } from './store/references.ts'
import { listCountable, takeUncounted, type UncountedRow } from './store/uncounted-rows.ts'

const BATCH_ROWS = 2000
const EVERY_MS = 500

interface CountDeps extends Pick<DriftMonitorDeps, 'database' | 'metrics' | 'config'> {
  readonly readReference: ReadReference
}

/** Adds logged predictions to the buckets of their time, many in one transaction. */
export function createCountRows(deps: CountDeps): Job {
  const counted = deps.metrics.counter('drift_rows_total', 'Logged predictions, by what became of them.', ['model', 'outcome'])
  const job: Job = {
    name: 'count-rows',
    everyMs: EVERY_MS,
    async run() {
      const rows = await listCountable(deps.database, BATCH_ROWS)
      for (const [model, ofModel] of Map.groupBy(rows, (row) => row.model)) {
        const outcome = await deps.database.transaction((tx) => countModel(deps, tx, model, ofModel))
        for (const [name, count] of Object.entries(outcome)) if (count > 0) counted.add({ model, outcome: name }, count)
      }
      return rows.length === BATCH_ROWS
    },
  }
  return paceJob(job, deps.config.DRIFT_COUNT_EVERY_MS)
}

/** What became of rows: `foreign` ones belong to a version that is not in production any more. */
type Outcome = Record<'counted' | 'late' | 'foreign', number>

async function countModel(deps: CountDeps, tx: Sql, model: string, listed: readonly UncountedRow[]): Promise<Outcome> {
  const monitor = await lockMonitor(tx, model)
  if (!monitor || monitor.referenceState === 'pending') return { counted: 0, late: 0, foreign: 0 }
  const present = await takeUncounted(
    tx,
    listed.map((row) => row.id),
  )
  const rows = listed.filter((row) => present.has(row.id))
  const own = rows.filter((row) => row.version === monitor.version && row.generation >= monitor.sinceGeneration)
  const counted = await addRows(deps, tx, monitor, own)
  return { counted, late: own.length - counted, foreign: rows.length - own.length }
}

/** A pod whose clock runs ahead must not open windows in the future. */
const timeOf = (row: UncountedRow): number => Math.min(row.predictedAt.getTime(), row.receivedAt.getTime())

async function addRows(deps: CountDeps, tx: Sql, monitor: Monitor, rows: readonly UncountedRow[]): Promise<number> {
  if (rows.length === 0 || monitor.version === null) return 0
  const { model } = monitor
  const { windowMs } = await readPolicy(tx, model)
  const placed = placeRows(await listSpans(tx, model), monitor.closedUntil?.getTime() ?? Number.NEGATIVE_INFINITY, rows, windowMs)
  if (placed.size > 0) {
    await saveBuckets(tx, model, await fillBuckets(deps, tx, monitor, placed))
    await saveLatest(tx, model, new Date(Math.max(...[...placed.values()].flatMap((group) => group.rows.map(timeOf)))))
  }
  // Late rows are no part of a window, but their labels are as good as any.
  await savePredictions(tx, model, monitor.version, monitor.sinceGeneration, rows.map(toPrediction))
  return [...placed.values()].reduce((sum, group) => sum + group.rows.length, 0)
}

function toPrediction(row: UncountedRow) {
  const predicted = row.row[PREDICTED_CLASS_FEATURE]
  return { predictionId: row.predictionId, predictedClass: typeof predicted === 'string' ? predicted : null, predictedAt: row.predictedAt }
}

interface Group {
  readonly span: Span
  readonly rows: UncountedRow[]
}

function placeRows(open: readonly Span[], closedUntilMs: number, rows: readonly UncountedRow[], windowMs: number): Map<number, Group> {
  const spans = [...open]
  const groups = new Map<number, Group>()
  for (const row of rows) {
    const span = placeRow(spans, closedUntilMs, timeOf(row), windowMs)
    if (!span) continue
    const group = groups.get(span.startMs)
    if (group) group.rows.push(row)
    else groups.set(span.startMs, { span, rows: [row] })
    if (!spans.some((known) => known.startMs === span.startMs)) spans.push(span)
  }
  return groups
}

async function fillBuckets(deps: CountDeps, tx: Sql, monitor: Monitor, placed: ReadonlyMap<number, Group>): Promise<StoredBucket[]> {
  const starts = [...placed.keys()]
  const stored = await readBuckets(tx, monitor.model, Math.min(...starts), Math.max(...starts) + 1)
  const profile = await deps.readReference(tx, monitor.artifactSha256)
  return [...placed.values()].map(({ span, rows }) => {
    const before = stored.find((bucket) => bucket.startMs === span.startMs)
    const counts = profile
      ? countRows(
          profile,
          rows.map((row) => row.row),
        )
      : {}
    const latestMs = Math.max(before?.latestMs ?? 0, ...rows.map(timeOf))
    return { ...span, latestMs, rows: (before?.rows ?? 0) + rows.length, counts: mergeCounts(before?.counts ?? {}, counts) }
  })
}
