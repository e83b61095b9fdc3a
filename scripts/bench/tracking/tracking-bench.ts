import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Lifetime } from '@millrace/platform/component.ts'
import { Client } from 'pg'
import { findInfrastructure } from '../../cluster/infrastructure.ts'
import { describeMachine } from '../machine.ts'
import { callInfra, clear, type Place, root } from '../place.ts'
import { runBench } from '../run-bench.ts'
import { writeSection } from '../write-section.ts'
import { measureArtifacts } from './artifacts.ts'
import { fillByApi, measureCall, measureLogging } from './logging.ts'
import { measureReading } from './reading.ts'
import { type Figures, type Results, renderTracking } from './report.ts'
import { type Seeded, seedMillrace, seedReference } from './seed.ts'
import { type Measured, startAllInOne, startReference, startTracking } from './servers.ts'
import { API } from './target.ts'

/**
 * node scripts/bench/tracking/tracking-bench.ts [--quick] [--reference <mlflow command>]
 * Measures tracking on PostgreSQL, the all-in-one host, and the reference server where its command is named.
 */
const quick = process.argv.includes('--quick')
const reference = process.argv.includes('--reference') ? process.argv[process.argv.indexOf('--reference') + 1] : undefined
const plan = quick
  ? { count: 40, seconds: 1, fill: 50, runs: 2_000, points: 20_000, artifactBytes: 16 * 2 ** 20, searches: 5 }
  : { count: 400, seconds: 8, fill: 1_000, runs: 100_000, points: 1_000_000, artifactBytes: 2 * 2 ** 30, searches: 100 }

const begun = performance.now()
const say = (line: string): void => void process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}\n`)

async function measure(name: string, { target, pid }: Measured, seeded: Seeded | null, patience: number): Promise<Figures> {
  const logging = await measureLogging(target, { count: Math.ceil(plan.count / patience), seconds: plan.seconds })
  say(`${name}: logging measured`)
  const experimentId = await fillByApi(target, plan.fill)
  const body = { experiment_ids: [experimentId], max_results: plan.fill }
  const thousand = await measureCall(Math.ceil(plan.searches / 5 / patience), () => target.ask('POST', `${API}/runs/search`, body))
  const reading = seeded && (await measureReading(target, seeded, Math.ceil(plan.searches / patience)))
  say(`${name}: searches measured`)
  const artifacts = await measureArtifacts(target, pid, plan.artifactBytes)
  say(`${name}: artifacts measured`)
  return { logging, thousand, reading, artifacts }
}

/** The name of the database is exchanged in a PostgreSQL address. */
const withDatabase = (url: string, database: string): string => Object.assign(new URL(url), { pathname: `/${database}` }).toString()

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`).finally(() => client.end())
  return withDatabase(url, name)
}

const seedSize = { runs: plan.runs, points: plan.points }

async function measureTracking(place: Place, infrastructure: Readonly<Record<string, string>>, url: string): Promise<Figures> {
  const { value, stop } = await startTracking(place, infrastructure)
  const seeded = await seedMillrace({ url, ...seedSize })
  return measure('tracking', value, seeded, 1).finally(stop)
}

async function measureAllInOne(place: Place): Promise<Figures> {
  const { value, stop } = await startAllInOne(place)
  return measure('all-in-one', value, null, 2).finally(stop)
}

/** Fewer samples: it takes its time. */
async function measureReference(place: Place, program: string, url: string): Promise<Results['reference']> {
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1) ?? ''
  const database = await createDatabase(url, 'reference')
  const { value, stop } = await startReference(place, program, database)
  const seeded = await seedReference({ url: database, ...seedSize })
  return { version, figures: await measure('reference', value, seeded, 8).finally(stop) }
}

async function main(place: Place, lifetime: Lifetime): Promise<void> {
  const [machine, startedAt] = [describeMachine(), new Date().toISOString()]
  await clear(place)
  lifetime.onStop(() => callInfra(place, 'down'))
  mkdirSync(place.directory, { recursive: true })
  const infrastructure = findInfrastructure(root, place.env, say)
  const url = String(infrastructure['DATABASE_URL'])
  const tracking = await measureTracking(place, infrastructure, url)
  const allInOne = await measureAllInOne(place)
  const sizes = { seededRuns: plan.runs, seededPoints: plan.points, artifactBytes: plan.artifactBytes }
  const command = `npm run bench:tracking -- ${quick ? '--quick ' : ''}${reference ? '--reference mlflow' : ''}`.replace(/[- ]+$/, '')
  const results: Results = { command, startedAt, machine, ...sizes, tracking, allInOne, reference: null }
  write(place, results)
  // What was measured before is kept, should the other server give up.
  if (reference) write(place, { ...results, reference: await measureReference(place, reference, url) })
}

/** Figures of a quick run mean too little for the documentation. */
function write(place: Place, results: Results): void {
  const text = renderTracking(results)
  writeSection(quick ? join(place.directory, 'benchmarks.md') : join(root, 'docs', 'benchmarks.md'), 'tracking', text)
  process.stdout.write(`\n${text}\n`)
}

await runBench(main, 23_100)
