import type { RunComparison } from '@millrace/contracts/http/tracking.ts'
import { toCsv } from './domain/csv.ts'

interface Row {
  readonly key: string
  readonly values: readonly (string | number | null)[]
  readonly differs: boolean
}

/** A row per key, a column per run. An empty cell may be an empty value: which runs lack the key stands in a column of its own. */
export function comparisonCsv(comparison: RunComparison): string {
  const { runs } = comparison
  const ids = runs.map((run) => run.runId)
  const about = (key: string, values: readonly string[]): string[] => ['run', key, String(new Set(values).size > 1), '', ...values]
  const rowsOf = (kind: string, rows: readonly Row[]): string[][] =>
    rows.map(({ key, values, differs }) => {
      const lacking = ids.filter((_, index) => values[index] === null)
      return [kind, key, String(differs), lacking.join(' '), ...values.map((value) => (value === null ? '' : String(value)))]
    })
  return toCsv([
    ['kind', 'key', 'differs', 'missing_in', ...ids],
    about(
      'name',
      runs.map((run) => run.runName),
    ),
    about(
      'status',
      runs.map((run) => run.status),
    ),
    about(
      'start_time',
      runs.map((run) => String(run.startTime)),
    ),
    ...rowsOf('param', comparison.params),
    ...rowsOf('metric', comparison.metrics),
    ...rowsOf('tag', comparison.tags),
  ])
}
