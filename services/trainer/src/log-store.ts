import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface LogLine {
  readonly at: Date
  readonly line: string
}

const MAX_LINE = 2000

export async function appendLog(sql: Sql, jobId: string, lines: readonly LogLine[]): Promise<void> {
  if (lines.length === 0) return
  await sql.query('insert into job_log (job_id, at, line) select $1, l.at::timestamptz, l.line from unnest($2::text[], $3::text[]) as l (at, line)', [
    jobId,
    lines.map(({ at }) => at.toISOString()),
    // NUL cannot be stored in a text column.
    lines.map(({ line }) => line.replaceAll('\0', '').slice(0, MAX_LINE)),
  ])
}

export async function readLog(sql: Sql, jobId: string, after: number, limit: number): Promise<(LogLine & { seq: number })[]> {
  return sql.query<LogLine & { seq: number }>('select seq, at, line from job_log where job_id = $1 and seq > $2 order by seq limit $3', [jobId, after, limit])
}
