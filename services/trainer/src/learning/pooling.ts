import { AppError } from '@millrace/platform/errors.ts'
import type { ChainTensor } from '@millrace/platform/model/onnx-chain.ts'

/** How a backbone's output becomes one row of features: as it is, or the mean over the places of a feature map. */
export type Pooling = 'none' | 'mean-nchw' | 'mean-nhwc'

/** A feature map is pooled in the layout of the backbone's input; [n, c, 1, 1] works out the same in both. */
export function poolingOf(shape: readonly number[], layout: 'NHWC' | 'NCHW'): Pooling {
  if (shape.length === 2) return 'none'
  if (shape.length === 4) return layout === 'NCHW' ? 'mean-nchw' : 'mean-nhwc'
  throw new AppError(
    'INVALID_PARAMETER_VALUE',
    `The backbone's output has the shape [${shape.join(', ')}]; expected features [n, f] or a feature map of four dimensions`,
  )
}

function meanOver(
  data: Float32Array,
  rows: number,
  places: number,
  channels: number,
  at: (row: number, place: number, channel: number) => number,
): Float32Array {
  const out = new Float32Array(rows * channels)
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0
      for (let place = 0; place < places; place++) sum += data[at(row, place, channel)] ?? 0
      out[row * channels + channel] = sum / places
    }
  }
  return out
}

/** One row of features per image, flat. */
export function poolFeatures({ shape, data }: ChainTensor, pooling: Pooling): { features: Float32Array; width: number } {
  const values = data instanceof Float32Array ? data : new Float32Array()
  const [rows = 0, second = 1, third = 1, fourth = 1] = shape
  if (pooling === 'none') return { features: values, width: second }
  if (pooling === 'mean-nchw') {
    const places = third * fourth
    return { features: meanOver(values, rows, places, second, (row, place, channel) => (row * second + channel) * places + place), width: second }
  }
  const places = second * third
  return { features: meanOver(values, rows, places, fourth, (row, place, channel) => (row * places + place) * fourth + channel), width: fourth }
}
