import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type ExampleTensor, type ParityRows, parityRows } from '@millrace/contracts/model/model-spec.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { type ArtifactFile, type DescribedModel, describeModel } from '@millrace/platform/model/describe-model.ts'
import { readInputExample } from '@millrace/platform/model/input-example.ts'
import { type ChainTensor, type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import type { OnnxLimits } from '@millrace/platform/model/onnx-limits.ts'
import { z } from 'zod'
import type { MeasureReport } from './measure-model.ts'
import { toChainTensor } from './number-tensor.ts'

/** Measures the model in the folder that is its first argument, within the limits of its second, and prints a `MeasureReport`. A program of its own: the promoter's process must outlive any model. */

const onnxLimits = z.object({ maxBytes: z.number(), maxNodes: z.number(), maxDepth: z.number(), maxTensorBytes: z.number() })

const WARM_UP_RUNS = 3
const TIMED_RUNS = 21

const missing = (reason: string): { kind: 'missing'; reason: string } => ({ kind: 'missing', reason })

async function readJson(folder: string, file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, file), 'utf8'))
}

async function listFiles(folder: string): Promise<ArtifactFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(paths.map(async (path) => ({ path: relative(folder, path).replaceAll('\\', '/'), sizeBytes: (await stat(path)).size })))
}

const readAt = async (folder: string, { path }: ArtifactFile): Promise<{ name: string; bytes: Uint8Array }> => ({
  name: path,
  bytes: await readFile(join(folder, path)),
})

async function openModel(folder: string, { chain }: DescribedModel<ArtifactFile>): Promise<OnnxChain> {
  const files = chain.map(async ({ file, sideFiles }) => ({
    ...(await readAt(folder, file)),
    sideFiles: await Promise.all(sideFiles.map((side) => readAt(folder, side))),
  }))
  return openChain(await Promise.all(files))
}

/** Largest absolute difference; NaN where either side is not a number or the sizes differ. */
function largestDifference(expected: ParityRows['outputs'], actual: readonly ChainTensor[]): number {
  let largest = 0
  for (const [index, output] of expected.entries()) {
    const found = actual.find((tensor) => tensor.name === output.name) ?? actual[index]
    if (!found || found.data.length !== output.data.length) return Number.NaN
    for (const [at, value] of output.data.entries()) {
      const difference = Math.abs(Number(found.data[at]) - value)
      if (!(difference <= largest)) largest = difference
      if (Number.isNaN(largest)) return largest
    }
  }
  return largest
}

async function measureParity(chain: OnnxChain, rows: ParityRows | null): Promise<MeasureReport['parity']> {
  if (!rows) return missing('the model has no stored answers to compare with: export it with parity rows')
  const answers = await chain.run(rows.inputs.map(toChainTensor))
  const difference = largestDifference(rows.outputs, answers)
  const values = rows.outputs.reduce((sum, output) => sum + output.data.length, 0)
  if (values === 0) return missing('the stored answers are empty: export the model with parity rows')
  return { kind: 'measured', value: { maxDifference: Number.isFinite(difference) ? difference : null, values } }
}

const NO_ANSWERS = 'the ONNX file is the model itself: there are no answers of another runtime to compare with'

/** A model that was logged as ONNX has no original beside it: it must answer its own input example. */
async function tryExample(chain: OnnxChain, example: readonly ExampleTensor[] | null): Promise<MeasureReport['parity']> {
  if (!example) return { kind: 'waived', reason: `${NO_ANSWERS}, and no input example to run it on` }
  const answers = await chain.run(example.map(toChainTensor))
  const nan = answers.find(({ data }) => !Array.isArray(data) && data.some((value) => Number.isNaN(Number(value))))
  if (nan) return missing(`the model answers its own input example with values that are not numbers ('${nan.name}')`)
  const values = answers.reduce((sum, { data }) => sum + data.length, 0)
  return { kind: 'waived', reason: `${NO_ANSWERS}; it answers its own input example, with ${values} values` }
}

/** The first row of a batch. */
function firstRow(tensor: ExampleTensor): ExampleTensor {
  const [, ...rest] = tensor.shape
  const size = rest.reduce((product, each) => product * each, 1)
  return tensor.shape.length === 0 ? tensor : { ...tensor, shape: [1, ...rest], data: tensor.data.slice(0, size) }
}

/** One row where rows are open; a model of a fixed batch takes it whole. */
function timedInputs(chain: OnnxChain, inputs: readonly ExampleTensor[]): ChainTensor[] {
  const open = chain.signature.inputs.every(({ shape }) => shape[0] === -1)
  return inputs.map((tensor) => toChainTensor(open ? firstRow(tensor) : tensor))
}

async function measureLatency(chain: OnnxChain, inputs: readonly ExampleTensor[] | null): Promise<MeasureReport['latency']> {
  if (!inputs) return missing('the model has neither an input example nor parity rows to run it on')
  const row = timedInputs(chain, inputs)
  const times: number[] = []
  for (let run = 0; run < WARM_UP_RUNS + TIMED_RUNS; run += 1) {
    const begun = performance.now()
    await chain.run(row)
    if (run >= WARM_UP_RUNS) times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  return { kind: 'measured', value: { medianMs: times[Math.floor(times.length / 2)] ?? Number.NaN, runs: times.length } }
}

/** A fault of one measurement is that measurement's reason; the other is still made. */
async function attempt<T>(measure: () => Promise<T>): Promise<T | { kind: 'missing'; reason: string }> {
  try {
    return await measure()
  } catch (error) {
    return missing(messageOf(error))
  }
}

async function measureFolder(folder: string, limits: OnnxLimits): Promise<MeasureReport> {
  const source = { files: await listFiles(folder), open: async ({ path }: ArtifactFile) => createReadStream(join(folder, path)) }
  const described = await describeModel(source, limits)
  if (described.kind === 'unservable') throw new Error(`the model cannot be served: ${described.reason}`)
  const { spec, origin, exampleFile } = described
  const rows = spec.parity === null ? null : parityRows.parse(await readJson(folder, spec.parity))
  const example = exampleFile && readInputExample(await readJson(folder, exampleFile.path), spec)
  const chain = await openModel(folder, described)
  const parity = await attempt<MeasureReport['parity']>(() => (rows || origin === 'own' ? measureParity(chain, rows) : tryExample(chain, example)))
  const latency = await attempt<MeasureReport['latency']>(() => measureLatency(chain, example ?? rows?.inputs ?? null))
  return { parity, latency }
}

const [folder = '', limits = ''] = process.argv.slice(2)
const report = await measureFolder(folder, onnxLimits.parse(JSON.parse(limits))).catch((error: unknown) => ({
  parity: missing(messageOf(error)),
  latency: missing(messageOf(error)),
}))
process.stdout.write(JSON.stringify(report))
