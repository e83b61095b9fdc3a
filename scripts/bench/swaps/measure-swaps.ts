import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { spreadOf } from '../percentile.ts'
import { askTable, type TableAnswer } from './ask-table.ts'
import { startPodProcess } from './pod-process.ts'
import { rowsIn, sealTable } from './table-model.ts'

/**
 * Swaps two models of different size under an open loop and says what it saw: `node scripts/bench/swaps/measure-swaps.ts [--swaps 200] [--rate 500]
 * [--large 200000000]`. Ends with status 1 when a prediction failed, an answer was not that of the version it names, or memory did not come back to within 10 %.
 */
const { values } = parseArgs({
  options: { swaps: { type: 'string', default: '200' }, rate: { type: 'string', default: '500' }, large: { type: 'string', default: '200000000' } },
})
const [swaps, rate, largeBytes] = [Number(values.swaps), Number(values.rate), Number(values.large)]

const VERSIONS = 3
const WARM_SWAPS = 6
const SETTLE_MS = 8000
const MEMORY_TOLERANCE = 0.1
const SWAP_LIMIT_MS = 120_000

interface Model {
  readonly name: string
  readonly rows: number
  readonly artifacts: readonly Artifact[]
  generation: number
  seen: number
  readonly swapMs: number[]
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

const directory = await mkdtemp(join(tmpdir(), 'millrace-swaps-'))
const blobs = await createFolderBlobs({ root: join(directory, 'blobs') })

async function sealModel(name: string, sizeBytes: number): Promise<Model> {
  const artifacts: Artifact[] = []
  for (let version = 1; version <= VERSIONS; version++) artifacts.push(await sealTable(blobs, version, sizeBytes))
  say(`${name}: ${VERSIONS} versions of ${megabytes(artifacts[0]?.sizeBytes ?? 0)}`)
  return { name, rows: rowsIn(sizeBytes), artifacts, generation: 0, seen: 0, swapMs: [] }
}

const models = [await sealModel('small', 1_000_000), await sealModel('large', largeBytes)]
const pod = await startPodProcess(directory)
const agent = new Agent({ keepAlive: true, maxSockets: 512 })
const counts = { ok: 0, mixed: 0, failed: 0 }
const reasons: string[] = []
const latencies: number[] = []

/** What the pod says of its models, for when it does not come on. */
async function describePod(): Promise<string> {
  const headers = { authorization: `Bearer ${pod.target.token}` }
  return fetch(`${pod.target.url}/api/v1/serving/models`, { headers }).then(
    (answer) => answer.text(),
    (error: unknown) => messageOf(error),
  )
}

/** The next generation; resolves once an answer names it. */
async function swap(model: Model): Promise<void> {
  const generation = ++model.generation
  const version = ((generation - 1) % VERSIONS) + 1
  const artifact = model.artifacts[version - 1]
  if (!artifact) throw new Error('there is no such version')
  const began = performance.now()
  const production = { version: String(version), runId: null, artifact, signature: null }
  pod.serve({ model: model.name, generation, salt: null, production, candidates: [], changedAt: new Date().toISOString() })
  while (model.seen < generation) {
    await pause(2)
    if (!loading.aborted && performance.now() - began > SWAP_LIMIT_MS)
      throw new Error(`${model.name} did not reach generation ${generation}: ${await describePod()}`)
  }
  model.swapMs.push(performance.now() - began)
}

const stopLoad = new AbortController()
const loading = stopLoad.signal

function count(model: Model, answer: TableAnswer, ms: number): void {
  counts[answer.kind] += 1
  if (answer.kind !== 'ok' && reasons.length < 10) reasons.push(`${model.name}: ${answer.reason}`)
  model.seen = Math.max(model.seen, answer.generation)
  latencies.push(ms)
}

/** Requests at their appointed times, whether or not those before have been answered; latency counts from the appointed time. */
async function load(): Promise<void> {
  const began = performance.now()
  const open = new Set<Promise<void>>()
  for (let n = 0; !loading.aborted; n++) {
    const dueMs = began + (n * 1000) / rate
    const aheadMs = dueMs - performance.now()
    if (aheadMs > 1) await pause(aheadMs)
    const model = models[n % models.length]
    if (!model) continue
    const asked = askTable(agent, pod.target, model.name, (n * 7919) % model.rows).then((answer) => {
      count(model, answer, performance.now() - dueMs)
      open.delete(asked)
    })
    open.add(asked)
  }
  await Promise.all(open)
}

/** Production of both before any load: a model without a version is no failure of a swap. */
async function begin(): Promise<void> {
  for (const model of models) {
    const first = swap(model)
    while (model.seen < 1) {
      const answer = await askTable(agent, pod.target, model.name, 0)
      model.seen = answer.generation
      await pause(20)
    }
    await first
    model.swapMs.length = 0
  }
}

async function measure(): Promise<boolean> {
  await begin()
  const loaded = load()
  for (let round = 0; round < WARM_SWAPS; round++) for (const model of models) await swap(model)
  await pause(SETTLE_MS)
  const before = await pod.residentBytes()
  for (const model of models) model.swapMs.length = 0
  const half = Math.floor(swaps / models.length)
  await Promise.all(
    models.map(async (model) => {
      for (let round = 0; round < half; round++) await swap(model)
    }),
  )
  await pause(SETTLE_MS)
  const after = await pod.residentBytes()
  stopLoad.abort()
  await loaded
  const spread = spreadOf(latencies)
  say(`${half * models.length} swaps at ${rate} req/s: ${counts.ok} right, ${counts.failed} failed, ${counts.mixed} mixed`)
  for (const reason of reasons) say(`  ${reason}`)
  say(`latency: p50 ${spread.p50.toFixed(1)} ms, p99 ${spread.p99.toFixed(1)} ms, highest ${spread.max.toFixed(1)} ms`)
  for (const { name, swapMs } of models) {
    const { p50, p99, max } = spreadOf(swapMs)
    say(`${name}: record to first answer p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, highest ${max.toFixed(0)} ms`)
  }
  const change = after / before - 1
  say(`resident memory: ${megabytes(before)} before, ${megabytes(after)} after (${(change * 100).toFixed(1)} %)`)
  return counts.failed === 0 && counts.mixed === 0 && change <= MEMORY_TOLERANCE
}

try {
  process.exitCode = (await measure()) ? 0 : 1
} catch (error) {
  say(`given up: ${messageOf(error)}`)
  say(`until then ${counts.ok} right, ${counts.failed} failed, ${counts.mixed} mixed ${reasons.join('; ')}`)
  process.exitCode = 1
} finally {
  stopLoad.abort()
  agent.destroy()
  await pod.stop()
  await rm(directory, { recursive: true, force: true })
}
