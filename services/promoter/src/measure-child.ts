import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  MODEL_SPEC_FILE,
  type ModelSpec,
  modelSpec,
  type ParityRows,
  parityRows,
  type TensorData,
  tensorExample,
} from '@millrace/contracts/model/model-spec.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { type ChainTensor, type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import { inspectOnnx } from '@millrace/platform/model/onnx-file.ts'
import type { MeasureReport } from './measure-model.ts'
import { toChainTensor } from './number-tensor.ts'

/** Measures the model in the folder that is its one argument and prints a `MeasureReport`. A program of its own: the promoter's process must outlive any model. */

const WARM_UP_RUNS = 3
const TIMED_RUNS = 21

const missing = (reason: string): { kind: 'missing'; reason: string } => ({ kind: 'missing', reason })

async function readJson(folder: string, file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, file), 'utf8'))
}

async function openModel(folder: string, spec: ModelSpec): Promise<OnnxChain> {
  const files = await Promise.all(spec.chain.map(async ({ file }) => ({ name: file, bytes: await readFile(join(folder, file)) })))
  for (const file of files) inspectOnnx(file.bytes)
  return openChain(files)
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

/** The first row of a batch. */
function firstRow(tensor: TensorData): TensorData {
  const [, ...rest] = tensor.shape
  return {
    ...tensor,
    shape: [1, ...rest],
    data: tensor.data.slice(
      0,
      rest.reduce((product, size) => product * size, 1),
    ),
  }
}

async function measureLatency(chain: OnnxChain, inputs: readonly TensorData[] | null): Promise<MeasureReport['latency']> {
  if (!inputs) return missing('the model has neither an input example nor parity rows to run it on')
  const row = inputs.map((tensor) => toChainTensor(firstRow(tensor)))
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

async function measureFolder(folder: string): Promise<MeasureReport> {
  const spec = modelSpec.parse(await readJson(folder, MODEL_SPEC_FILE))
  const rows = spec.parity === null ? null : parityRows.parse(await readJson(folder, spec.parity))
  const example = spec.inputExample === null ? null : tensorExample.parse(await readJson(folder, spec.inputExample))
  const chain = await openModel(folder, spec)
  const parity = await attempt(() => measureParity(chain, rows))
  const latency = await attempt(() => measureLatency(chain, example?.inputs ?? rows?.inputs ?? null))
  return { parity, latency }
}

const folder = process.argv[2] ?? ''
const report = await measureFolder(folder).catch((error: unknown) => ({ parity: missing(messageOf(error)), latency: missing(messageOf(error)) }))
process.stdout.write(JSON.stringify(report))
