import { type ImageStatistics, imageStatisticNames } from '@millrace/contracts/model/reference-profile.ts'
import { imageStatistics } from '@millrace/platform/model/image-statistics.ts'
import { decodeForStatistics, preprocessImage } from '@millrace/platform/model/preprocess-image.ts'
import type { ImageCall, ImageInput } from './image-reader.ts'
import { serveThread } from './serve-thread.ts'

/** Entry of a worker thread that turns pictures into tensors. */
async function read({ bytes, preprocessing, limits }: ImageCall): Promise<{ result: ImageInput; transfer: ArrayBuffer[] }> {
  const [values, picture] = await Promise.all([preprocessImage(bytes, preprocessing, limits), decodeForStatistics(bytes, limits)])
  const statistics: ImageStatistics = imageStatistics(picture)
  const whole = values.buffer instanceof ArrayBuffer ? [values.buffer] : []
  return { result: { values, statistics: imageStatisticNames.map((name) => statistics[name]) }, transfer: whole }
}

serveThread({ read })
