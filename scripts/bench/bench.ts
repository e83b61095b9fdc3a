import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Lifetime } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { findInfrastructure } from '../cluster/infrastructure.ts'
import { startEventPipeline } from './event-pipeline.ts'
import { describeMachine } from './machine.ts'
import { measureEvents } from './measure-events.ts'
import { measureOutage } from './measure-outage.ts'
import { measurePromotions } from './measure-promotions.ts'
import { callInfra, choosePlace, clear, type Place, root } from './place.ts'
import { fullPlan, quickPlan } from './plan.ts'
import { type Results, renderReport } from './report.ts'
import { startCluster } from './start-cluster.ts'
import { writeSection } from './write-section.ts'

const quick = process.argv.includes('--quick')
const plan = quick ? quickPlan : fullPlan

const begun = performance.now()
const elapsed = (): number => (performance.now() - begun) / 1000
const say = (line: string): void => void process.stdout.write(`${elapsed().toFixed(0).padStart(4)} s  ${line}\n`)

async function measure(place: Place, lifetime: Lifetime): Promise<Results> {
  const machine = describeMachine()
  const startedAt = new Date().toISOString()
  await clear(place)
  lifetime.onStop(() => callInfra(place, 'down'))
  mkdirSync(place.directory, { recursive: true })
  const servers = findInfrastructure(root, place.env, say)
  const cluster = await lifetime.start(startCluster(place))
  say(`the cluster runs at ${cluster.gatewayUrl}`)
  const env = { ...place.env, ...servers }
  const promotions = await measurePromotions({ cluster, env }, plan, say)
  const pipeline = await lifetime.start(startEventPipeline(env))
  const events = await measureEvents(pipeline, plan, say)
  const outage = await measureOutage(place, pipeline, plan, say)
  const command = quick ? 'npm run bench -- --quick' : 'npm run bench'
  return { command, startedAt, seconds: elapsed(), machine, plan, promotions, events, outage }
}

/** The page goes into the documentation only where its figures mean something. */
function write(results: Results, { directory }: Place): void {
  const page = quick ? join(directory, 'benchmarks.md') : join(root, 'docs', 'benchmarks.md')
  writeFileSync(join(directory, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeSection(page, 'promotions and events', renderReport(results))
  const table = renderReport(results)
    .split('\n')
    .filter((line) => line.startsWith('|'))
  process.stdout.write(`\n${table.join('\n')}\n\n`)
  say(`written to ${relative(root, page)}; every sample is in ${relative(root, join(directory, 'results.json'))}`)
}

/** Rejects when the benchmark is told to stop. */
const stopped = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => reject(new Error(`stopped by ${signal}`)))
})

async function main(place: Place): Promise<void> {
  const lifetime = new Lifetime()
  try {
    write(await Promise.race([measure(place, lifetime), stopped]), place)
  } finally {
    await lifetime.stop()
  }
}

main(choosePlace(process.env)).then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`bench: ${messageOf(error)}\n`)
    process.exit(1)
  },
)
