import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import type { ImageStatistics } from '@millrace/contracts/model/reference-profile.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Backbone } from './backbone.ts'
import { digestOf } from './dataset-digest.ts'
import { inOrder, throwIfCancelled } from './in-order.ts'
import type { DatasetFile, DatasetListing, Split } from './list-dataset.ts'
import { type Pooling, poolFeatures, poolingOf } from './pooling.ts'
import { type ReadImage, readImage } from './read-images.ts'
import type { DatasetSummary, ReportProgress } from './training-job.ts'

/** One image as the head sees it. */
export interface FeatureRow {
  readonly file: DatasetFile
  /** Position of the file's class in the listing. */
  readonly target: number
  readonly features: Float32Array
  /** Features of the mirror image; only of training rows, where it was asked for. */
  readonly mirrored: Float32Array | null
  readonly statistics: ImageStatistics | null
}

export interface FeatureSet {
  readonly rows: readonly FeatureRow[]
  readonly width: number
  readonly pooling: Pooling
  readonly dataset: DatasetSummary
}

interface Wanted {
  readonly mirror: boolean
  readonly report: ReportProgress
  readonly signal?: AbortSignal | undefined
}

const BATCH = 32

/** Turns left and right around. */
export function mirrorTensor(tensor: Float32Array, { width, height, layout }: ImagePreprocessing): Float32Array {
  const out = new Float32Array(tensor.length)
  const [planes, depth] = layout === 'NCHW' ? [3, 1] : [1, 3]
  for (let row = 0; row < planes * height; row++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < depth; c++) out[(row * width + x) * depth + c] = tensor[(row * width + width - 1 - x) * depth + c] ?? 0
    }
  }
  return out
}

/** Runs the backbone on one batch of image tensors. */
export async function runBackbone(backbone: Backbone, tensors: readonly Float32Array[]): Promise<{ features: Float32Array; width: number; pooling: Pooling }> {
  const { width, height, layout } = backbone.preprocessing
  const size = width * height * 3
  const data = new Float32Array(tensors.length * size)
  for (const [i, tensor] of tensors.entries()) data.set(tensor, i * size)
  const shape = layout === 'NCHW' ? [tensors.length, 3, height, width] : [tensors.length, height, width, 3]
  const [output] = await backbone.chain.run([{ name: backbone.input.name, datatype: 'FP32', shape, data }])
  if (!output) throw new AppError('INVALID_PARAMETER_VALUE', 'The backbone gave no output')
  const pooling = poolingOf(output.shape, layout)
  return { ...poolFeatures(output, pooling), pooling }
}

async function featureRows(
  backbone: Backbone,
  listing: DatasetListing,
  batch: readonly ReadImage[],
  mirror: boolean,
): Promise<{ rows: FeatureRow[]; width: number; pooling: Pooling }> {
  const tensors = batch.flatMap(({ tensor }) => (tensor ? [tensor] : []))
  const plain = await runBackbone(backbone, tensors)
  const turned = mirror
    ? await runBackbone(
        backbone,
        tensors.map((tensor) => mirrorTensor(tensor, backbone.preprocessing)),
      )
    : null
  const cut = (features: Float32Array, i: number) => features.slice(i * plain.width, (i + 1) * plain.width)
  const rows = batch.map(({ file, statistics }, i) => ({
    file,
    target: listing.classes.indexOf(file.class),
    features: cut(plain.features, i),
    mirrored: turned && file.split === 'train' ? cut(turned.features, i) : null,
    statistics,
  }))
  return { rows, width: plain.width, pooling: plain.pooling }
}

function summarise(listing: DatasetListing, images: readonly ReadImage[], rows: readonly FeatureRow[]): DatasetSummary {
  const count = (split: Split) => rows.filter(({ file }) => file.split === split).length
  return {
    digest: digestOf(images.map(({ file, sha256 }) => ({ id: file.id, sha256 }))),
    classes: listing.classes,
    rows: { train: count('train'), val: count('val'), test: count('test') },
    unreadable: images.filter(({ tensor }) => tensor === null).map(({ file }) => file.id),
    bytes: images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}

/** Every split still needs readable images, and the training split at least two classes of them. */
function checkReadable({ rows, unreadable }: DatasetSummary, seen: ReadonlySet<number>): void {
  for (const [split, count] of Object.entries(rows)) {
    if (count === 0)
      throw new AppError(
        'INVALID_PARAMETER_VALUE',
        `None of the files in '${split}' is a readable image (${unreadable.length} unreadable in all, such as '${unreadable[0]}')`,
      )
  }
  if (seen.size < 2) throw new AppError('INVALID_PARAMETER_VALUE', 'Only one class has readable training images; a classifier needs at least two')
}

/**
 * Reads every image of a data set and runs the frozen backbone on it, a batch at a time; only the features stay in memory.
 * @throws AppError INVALID_PARAMETER_VALUE when a split has no readable image; CANCELLED
 */
export async function extractFeatures(backbone: Backbone, listing: DatasetListing, { mirror, report, signal }: Wanted): Promise<FeatureSet> {
  const images: ReadImage[] = []
  const rows: FeatureRow[] = []
  const found: { width: number; pooling: Pooling } = { width: 0, pooling: 'none' }
  for (let start = 0; start < listing.files.length; start += BATCH) {
    throwIfCancelled(signal)
    const files = listing.files.slice(start, start + BATCH)
    const batch = await inOrder(files, 4, (file) => readImage(file, backbone.preprocessing, file.split === 'test'), signal)
    const readable = batch.filter(({ tensor }) => tensor !== null)
    if (readable.length > 0) {
      const part = await featureRows(backbone, listing, readable, mirror)
      rows.push(...part.rows)
      Object.assign(found, { width: part.width, pooling: part.pooling })
    }
    images.push(...batch.map((image) => (image.tensor ? { ...image, tensor: new Float32Array() } : image)))
    report({ kind: 'phase', phase: 'reading', done: images.length, total: listing.files.length })
  }
  const dataset = summarise(listing, images, rows)
  for (const { file, reason } of images) if (reason) report({ kind: 'warning', message: `${file.id}: ${reason}` })
  checkReadable(dataset, new Set(rows.filter(({ file }) => file.split === 'train').map(({ target }) => target)))
  return { rows, ...found, dataset }
}
