import { Client } from 'pg'

export interface Seed {
  readonly url: string
  readonly runs: number
  readonly points: number
}

/** Ids of what was written. */
export interface Seeded {
  readonly experimentId: string
  /** A run whose metric `long` has `points` points. */
  readonly runId: string
}

const FIRST_RUN = "md5('bench-1')"
const TEN = 'generate_series(0, 9) as k'
/** Spread evenly over 0..1, the same on every server. */
const VALUE = '((n::bigint * 7919 + k * 104729) % 10007) / 10007.0'

async function within(url: string, work: (client: Client) => Promise<Seeded>): Promise<Seeded> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const seeded = await work(client)
    await client.query('vacuum analyze')
    return seeded
  } finally {
    await client.end()
  }
}

/** Writes runs with ten metrics, ten params and two tags each into Millrace's tables. */
export const seedMillrace = ({ url, runs, points }: Seed): Promise<Seeded> =>
  within(url, async (client) => {
    await client.query('set search_path to tracking')
    const { rows } = await client.query(
      `insert into experiment (name, creation_time, last_update_time) values ('bench', 1, 1) returning experiment_id, ${FIRST_RUN} as run_id`,
    )
    const { experiment_id: experimentId, run_id: runId } = rows[0]
    const numbers = `generate_series(1, ${runs}) as n`
    await client.query(`insert into run (run_id, run_name, experiment_id, user_id, status, start_time, artifact_uri)
      select md5('bench-' || n), 'run ' || n, ${experimentId}, 'bench', 'FINISHED', 1700000000000 + n, 'mlflow-artifacts:/' || n from ${numbers}`)
    await client.query(
      `insert into run_param (run_id, key, value) select md5('bench-' || n), 'param_' || k, 'value ' || (n * (k + 1)) % 97 from ${numbers}, ${TEN}`,
    )
    await client.query(
      `insert into run_tag (run_id, key, value) select md5('bench-' || n), 'tag_' || k, 't' || n % 1000 from ${numbers}, generate_series(0, 1) as k`,
    )
    await client.query(`insert into metric_series (run_id, key, step, timestamp, value, is_nan)
      select md5('bench-' || n), 'metric_' || k, 1, 1700000000000 + n, ${VALUE}, false from ${numbers}, ${TEN}`)
    await client.query('insert into metric_point select series_id, timestamp, step, value, is_nan from metric_series on conflict do nothing')
    const long = await client.query(
      `insert into metric_series (run_id, key, step, timestamp, value, is_nan) values ($1, 'long', ${points}, ${points}, 0.5, false) returning series_id`,
      [runId],
    )
    await client.query(`insert into metric_point select ${long.rows[0].series_id}, n, n, n / 1e6, false from generate_series(1, ${points}) as n`)
    return { experimentId, runId }
  })

/** The same, into the tables of the reference server. */
export const seedReference = ({ url, runs, points }: Seed): Promise<Seeded> =>
  within(url, async (client) => {
    const made = `insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time) values ('bench', 'mlflow-artifacts:/9', 'active', 1, 1)`
    const { rows } = await client.query(`${made} returning experiment_id, ${FIRST_RUN} as run_id`)
    const { experiment_id: experimentId, run_id: runId } = rows[0]
    const numbers = `generate_series(1, ${runs}) as n`
    await client.query(`insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id)
      select md5('bench-' || n), 'run ' || n, 'LOCAL', '', '', 'bench', 'FINISHED', 1700000000000 + n, null, 'active', 'mlflow-artifacts:/' || n, ${experimentId} from ${numbers}`)
    await client.query(
      `insert into params (run_uuid, key, value) select md5('bench-' || n), 'param_' || k, 'value ' || (n * (k + 1)) % 97 from ${numbers}, ${TEN}`,
    )
    await client.query(
      `insert into tags (run_uuid, key, value) select md5('bench-' || n), 'tag_' || k, 't' || n % 1000 from ${numbers}, generate_series(0, 1) as k`,
    )
    for (const table of ['latest_metrics', 'metrics']) {
      await client.query(`insert into ${table} (run_uuid, key, value, timestamp, step, is_nan)
        select md5('bench-' || n), 'metric_' || k, ${VALUE}, 1700000000000 + n, 1, false from ${numbers}, ${TEN}`)
    }
    await client.query(
      `insert into metrics (run_uuid, key, value, timestamp, step, is_nan) select $1, 'long', n / 1e6, n, n, false from generate_series(1, ${points}) as n`,
      [runId],
    )
    await client.query(
      `insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan) values ($1, 'long', ${points / 1e6}, ${points}, ${points}, false)`,
      [runId],
    )
    return { experimentId: String(experimentId), runId }
  })
