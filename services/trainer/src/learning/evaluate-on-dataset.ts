import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Evaluation, MODEL_SPEC_FILE, type ModelSpec, modelSpec } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import { inspectOnnx } from '@millrace/platform/model/onnx-file.ts'
import { z } from 'zod'
import { digestOf, sha256 } from './dataset-digest.ts'
import { inOrder, throwIfCancelled } from './in-order.ts'
import { type DatasetFile, type DatasetListing, listDataset, type Split } from './list-dataset.ts'
import { type ReadImage, readImage } from './read-images.ts'
import { topOf } from './scores.ts'
import type { ReportProgress } from './training-job.ts'

export interface EvaluationJob {
  /** Folder with a model's artifact (`millrace-model.json` and what it names). */
  readonly modelDir: string
  readonly dataRoot: string
  readonly split: Split
}

/** A model that can be asked about images: labels and preprocessing are there. */
interface Classifier {
  readonly chain: OnnxChain
  readonly spec: ModelSpec & { readonly labels: NonNullable<ModelSpec['labels']>; readonly preprocessing: NonNullable<ModelSpec['preprocessing']> }
}

const BATCH = 32

async function readSpec(modelDir: string): Promise<ModelSpec> {
  const path = join(modelDir, MODEL_SPEC_FILE)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('INVALID_PARAMETER_VALUE', `The model in '${modelDir}' has no ${MODEL_SPEC_FILE}`, { cause })
  })
  try {
    return modelSpec.parse(JSON.parse(text))
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON'
    throw new AppError('INVALID_PARAMETER_VALUE', `'${path}' is not valid: ${detail}`, { cause })
  }
}

async function openClassifier(modelDir: string): Promise<Classifier> {
  const { labels, preprocessing, ...spec } = await readSpec(modelDir)
  if (!labels || !preprocessing)
    throw new AppError('INVALID_PARAMETER_VALUE', `The model in '${modelDir}' is no image classifier: it has no labels or no preprocessing`)
  const files = await Promise.all(spec.chain.map(async ({ file }) => ({ name: file, bytes: new Uint8Array(await readFile(join(modelDir, file))) })))
  for (const { bytes } of files) inspectOnnx(bytes)
  return { chain: await openChain(files), spec: { ...spec, labels, preprocessing } }
}

/** Probabilities of the chain's last output, one row per image. */
async function predict({ chain, spec }: Classifier, tensors: readonly Float32Array[]): Promise<Float32Array> {
  const { width, height, layout } = spec.preprocessing
  const data = new Float32Array(tensors.length * width * height * 3)
  for (const [i, tensor] of tensors.entries()) data.set(tensor, i * tensor.length)
  const shape = layout === 'NCHW' ? [tensors.length, 3, height, width] : [tensors.length, height, width, 3]
  const outputs = await chain.run([{ name: chain.signature.inputs[0]?.name ?? '', datatype: 'FP32', shape, data }])
  const values = outputs.at(-1)?.data
  if (values instanceof Float32Array && values.length === tensors.length * spec.labels.length) return values
  throw new AppError('INVALID_PARAMETER_VALUE', `The model's last output does not hold one FP32 probability for each of its ${spec.labels.length} labels`)
}

async function evaluateBatch(classifier: Classifier, images: readonly ReadImage[]): Promise<Evaluation['rows']> {
  const readable = images.flatMap(({ tensor, file }) => (tensor ? [{ tensor, file }] : []))
  if (readable.length === 0) return []
  const { labels } = classifier.spec
  const probabilities = await predict(
    classifier,
    readable.map(({ tensor }) => tensor),
  )
  return readable.map(({ file }, i) => {
    const { index, probability } = topOf(probabilities, i, labels.length)
    return { id: file.id, actual: file.class, predicted: labels[index]?.class ?? '', confidence: probability }
  })
}

/** Every file counts in the digest, those of the split are asked about too. */
async function evaluateFiles(
  classifier: Classifier,
  { files, classes }: DatasetListing,
  split: Split,
  report: ReportProgress,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const hashes: { id: string; sha256: string }[] = []
  const rows: Evaluation['rows'] = []
  const read = async (file: DatasetFile): Promise<ReadImage> => {
    if (file.split === split) return readImage(file, classifier.spec.preprocessing, false)
    const bytes = await readFile(file.path)
    return { file, sha256: sha256(bytes), sizeBytes: bytes.length, tensor: null, statistics: null, reason: null }
  }
  for (let start = 0; start < files.length; start += BATCH) {
    throwIfCancelled(signal)
    const images = await inOrder(files.slice(start, start + BATCH), 4, read, signal)
    hashes.push(...images.map((image) => ({ id: image.file.id, sha256: image.sha256 })))
    rows.push(...(await evaluateBatch(classifier, images)))
    report({ kind: 'phase', phase: 'evaluating', done: hashes.length, total: files.length })
  }
  return { datasetDigest: digestOf(hashes), split, classes: [...classes], rows }
}

/**
 * Asks an exported model about every readable image of one split; the rows of two models on the same folder can be compared one by one, because the digest
 * and the ids are the same. `actual` is the folder's class, also where the model does not know it.
 * @throws AppError INVALID_PARAMETER_VALUE (no such model or data, not an image classifier), CANCELLED
 */
export async function evaluateOnDataset(job: EvaluationJob, report: ReportProgress = () => {}, signal?: AbortSignal): Promise<Evaluation> {
  const listing = await listDataset(job.dataRoot)
  const classifier = await openClassifier(job.modelDir)
  try {
    return await evaluateFiles(classifier, listing, job.split, report, signal)
  } finally {
    await classifier.chain.release()
  }
}
