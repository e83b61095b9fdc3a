import { readFile } from 'node:fs/promises'
import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import type { ImageStatistics } from '@millrace/contracts/model/reference-profile.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { imageStatistics } from '@millrace/platform/model/image-statistics.ts'
import { decodeForStatistics, preprocessImage } from '@millrace/platform/model/preprocess-image.ts'
import { sha256 } from './dataset-digest.ts'
import type { DatasetFile } from './list-dataset.ts'

/** One file of the data set after reading; `tensor` is null where it is no readable image. */
export interface ReadImage {
  readonly file: DatasetFile
  readonly sha256: string
  readonly sizeBytes: number
  readonly tensor: Float32Array | null
  /** Only where they were asked for. */
  readonly statistics: ImageStatistics | null
  readonly reason: string | null
}

/** Reads, hashes and decodes one file. What is no image is told apart, not thrown: one bad file must not end a training. */
export async function readImage(file: DatasetFile, preprocessing: ImagePreprocessing, withStatistics: boolean): Promise<ReadImage> {
  const bytes = await readFile(file.path)
  const known = { file, sha256: sha256(bytes), sizeBytes: bytes.length }
  try {
    const tensor = await preprocessImage(bytes, preprocessing)
    const statistics = withStatistics ? imageStatistics(await decodeForStatistics(bytes)) : null
    return { ...known, tensor, statistics, reason: null }
  } catch (error) {
    if (error instanceof AppError) return { ...known, tensor: null, statistics: null, reason: error.message }
    throw error
  }
}
