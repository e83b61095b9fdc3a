import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Lifetime } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { z } from 'zod'
import { describeMachine } from '../machine.ts'
import { type Part, startPart } from '../part.ts'
import { clear, type Place, root } from '../place.ts'
import { runBench } from '../run-bench.ts'
import { writeSection } from '../write-section.ts'
import { measureOpen, measureRow, type Row } from './measure.ts'
import { startMillrace } from './millrace.ts'
import { type BenchModel, benchModels } from './models.ts'
import { inferBody, installedPeers, measureFloor } from './peers.ts'
import { type ModelFigures, type OpenFigures, renderServing } from './report.ts'
import type { Usage } from './server-process.ts'

/**
 * node scripts/bench/serving/serving-bench.ts [--quick] [--peers <folder>]
 * Gateway and pod under load, beside other model servers: `--peers` names a folder with a Python environment for each (`fastapi`, `mlserver`, `bentoml`, `ray`, `mlflow`).
 */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, peers: { type: 'string', default: '' } } })
const forMs = values.quick ? 1000 : 5000
const begun = performance.now()
const say = (line: string): void => void process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}\n`)

const questionFor = (url: string, model: BenchModel) => ({ url, path: `/v2/models/${model.name}/infer`, body: inferBody(model) })

async function measureMillrace(place: Place, load: Part): Promise<{ rows: Row[]; open: OpenFigures[] }> {
  const { value: millrace, stop } = await startMillrace(place, say)
  try {
    const rows: Row[] = []
    const open: OpenFigures[] = []
    for (const model of benchModels) {
      await millrace.serve(model)
      const question = questionFor(millrace.gatewayUrl, model)
      const row = await measureRow(load, { server: '**Millrace**, gateway + pod', question, usage: millrace.usage }, forMs)
      rows.push(row)
      say(`Millrace: ${model.name} measured`)
      const rate = Math.max(1, Math.floor(0.8 * Math.max(...row.cells.map(({ perSecond }) => perSecond))))
      open.push({ ...(await measureOpen(load, question, rate, forMs * 2)), perSecond: rate, what: `${model.name}, 80 % of the highest rate` })
      const half = Math.max(1, Math.floor(rate / 2))
      const swapping = pause(forMs / 2).then(() => millrace.swap(model))
      open.push({ ...(await measureOpen(load, question, half, forMs * 2)), perSecond: half, what: `${model.name}, 40 %, a promotion in the middle` })
      await swapping
    }
    return { rows, open }
  } finally {
    await stop()
  }
}

async function measurePeer(
  { peer, version }: ReturnType<typeof installedPeers>[number],
  place: Place,
  load: Part,
  model: BenchModel,
  port: number,
): Promise<Row | null> {
  const server = `${peer.name} ${version}`
  try {
    const modelFile = join(place.directory, `${model.name}.onnx`)
    const started = await peer.start({ environments: values.peers, directory: place.directory, model, modelFile, port })
    const { process: served, question } = started.value
    return await measureRow(load, { server, question, usage: () => served.usage() }, forMs).finally(started.stop)
  } catch (error) {
    say(`${server}: ${messageOf(error)}`)
    return null
  }
}

/** The empty proxy before a server that answers at once. */
async function measureProxy(load: Part, lifetime: Lifetime): Promise<Row> {
  const start = (): Promise<Part> => lifetime.start(startPart('gateway-part.ts', { ...process.env }))
  const [pod, floor] = [await start(), await start()]
  const url = await floor.ask('floor', z.string(), { origin: await pod.ask('pod', z.string()) })
  const nothing: Usage = { cpuMs: Number.NaN, residentMib: Number.NaN }
  return measureRow(load, { server: 'empty proxy', question: questionFor(url, benchModels[0] ?? rejectEmpty()), usage: () => nothing }, forMs)
}

function rejectEmpty(): never {
  throw new Error('there is no model to measure with')
}

async function main(place: Place, lifetime: Lifetime): Promise<void> {
  const [machine, startedAt] = [describeMachine(), new Date().toISOString()]
  await clear(place)
  mkdirSync(place.directory, { recursive: true })
  const load = await lifetime.start(startPart('serving/question-part.ts', { ...process.env }))
  for (const model of benchModels) writeFileSync(join(place.directory, `${model.name}.onnx`), model.onnx)
  const own = await measureMillrace(place, load)
  const proxy = await measureProxy(load, lifetime)
  const peers = values.peers ? installedPeers(values.peers) : []
  const models: ModelFigures[] = []
  let port = Number(place.env['PORT']) + 100
  for (const [index, model] of benchModels.entries()) {
    const rows = [own.rows[index], index === 0 ? proxy : null]
    for (const peer of peers) {
      port += 10
      rows.push(await measurePeer(peer, place, load, model, port))
      say(`${peer.peer.name}: ${model.name} done`)
    }
    const floor = peers.some(({ peer }) => peer.package === 'fastapi')
      ? measureFloor(values.peers, join(place.directory, `${model.name}.onnx`), model.shape, forMs / 1000)
      : null
    models.push({ what: model.what, floor, rows: rows.filter((row) => row !== null && row !== undefined) })
  }
  const command = `npm run bench:serving${values.quick || values.peers ? ' --' : ''}${values.quick ? ' --quick' : ''}${values.peers ? ' --peers <folder>' : ''}`
  const text = renderServing({ command, startedAt, machine, models, open: own.open })
  writeSection(values.quick ? join(place.directory, 'benchmarks.md') : join(root, 'docs', 'benchmarks.md'), 'serving', text)
  process.stdout.write(`\n${text}\n`)
}

await runBench(main, 23_400)
