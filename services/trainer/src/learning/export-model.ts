import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evaluation, Label } from '@millrace/contracts/model/model-spec.ts'
import type { ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import type { Backbone } from './backbone.ts'
import { sha256 } from './dataset-digest.ts'
import { runBackbone } from './extract-features.ts'
import { headFile } from './head-file.ts'
import { createNetwork, disposeNetwork, predictProbabilities } from './head-network.ts'
import type { HeadWeights } from './head-weights.ts'
import { inputExampleOf, modelFileNames, modelSpecOf, parityOf } from './model-files.ts'
import type { Pooling } from './pooling.ts'

export interface ExportTask {
  readonly backbone: Backbone
  readonly weights: HeadWeights
  readonly pooling: Pooling
  readonly labels: readonly Label[]
  /** Image tensors for the parity rows; the first is the input example. */
  readonly tensors: readonly Float32Array[]
  readonly profile: ReferenceProfile
  readonly evaluation: Evaluation
  readonly modelDir: string
}

export interface ExportedModel {
  readonly files: readonly string[]
  /** Bytes of the ONNX files. */
  readonly sizeBytes: number
  readonly headSha256: string
  /** Median time of one image through the exported chain, on one thread, without decoding. */
  readonly latencyMs: number
}

const LATENCY_RUNS = 31

async function medianLatency(chain: OnnxChain, { backbone }: ExportTask, tensor: Float32Array): Promise<number> {
  const { width, height, layout } = backbone.preprocessing
  const shape = layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3]
  const times: number[] = []
  for (let run = 0; run < LATENCY_RUNS; run++) {
    const start = performance.now()
    await chain.run([{ name: backbone.input.name, datatype: 'FP32', shape, data: tensor }])
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(LATENCY_RUNS / 2)] ?? 0
}

/** The answers of the runtime that trained: the backbone's features through the head as tfjs holds it, not through the exported file. */
async function trainerAnswers({ backbone, weights, tensors }: ExportTask): Promise<Float32Array[]> {
  const { features, width } = await runBackbone(backbone, tensors)
  const network = createNetwork(weights)
  const rows = tensors.map((_, i) => features.slice(i * width, (i + 1) * width))
  const flat = predictProbabilities(network, rows, width)
  disposeNetwork(network)
  const classes = flat.length / tensors.length
  return tensors.map((_, i) => flat.slice(i * classes, (i + 1) * classes))
}

async function describe(task: ExportTask, chain: OnnxChain): Promise<Record<string, unknown>> {
  const { backbone, labels, tensors, profile, evaluation } = task
  const [example = new Float32Array()] = tensors
  return {
    [modelFileNames.spec]: modelSpecOf(chain.signature, labels, backbone.preprocessing),
    [modelFileNames.inputExample]: inputExampleOf(chain.signature, backbone.preprocessing, example),
    [modelFileNames.parity]: parityOf(chain.signature, backbone.preprocessing, tensors, await trainerAnswers(task)),
    [modelFileNames.referenceProfile]: profile,
    [modelFileNames.evaluation]: evaluation,
  }
}

/** Writes the artifact: two ONNX files and the JSON that describes them. */
export async function exportModel(task: ExportTask): Promise<ExportedModel> {
  const { backbone, weights, pooling, labels, modelDir } = task
  const head = headFile(weights, { pooling, inputShape: backbone.output.shape, classes: labels.length })
  const chain = await openChain([
    { name: modelFileNames.backbone, bytes: backbone.bytes },
    { name: modelFileNames.head, bytes: head },
  ])
  try {
    await mkdir(modelDir, { recursive: true })
    await writeFile(join(modelDir, modelFileNames.backbone), backbone.bytes)
    await writeFile(join(modelDir, modelFileNames.head), head)
    const documents = await describe(task, chain)
    for (const [name, document] of Object.entries(documents)) await writeFile(join(modelDir, name), `${JSON.stringify(document)}\n`)
    const latencyMs = await medianLatency(chain, task, task.tensors[0] ?? new Float32Array())
    const files = [modelFileNames.backbone, modelFileNames.head, ...Object.keys(documents)]
    return { files, sizeBytes: backbone.bytes.length + head.length, headSha256: sha256(head), latencyMs }
  } finally {
    await chain.release()
  }
}
