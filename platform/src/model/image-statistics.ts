import type { ImageStatistics } from '@millrace/contracts/model/reference-profile.ts'

/** RGB bytes, row by row; `aspectRatio` is height / width of the whole picture, where the bytes are a smaller copy of it. */
export interface RgbPicture {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
  readonly aspectRatio?: number
}

/** Variance of the four-neighbour Laplacian of grey, over the inner pixels; 0 for pictures under 3 x 3. */
function sharpness(grey: Float32Array, width: number, height: number): number {
  let sum = 0
  let squares = 0
  const count = Math.max(0, width - 2) * Math.max(0, height - 2)
  if (count === 0) return 0
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const laplacian = (grey[i - 1] ?? 0) + (grey[i + 1] ?? 0) + (grey[i - width] ?? 0) + (grey[i + width] ?? 0) - 4 * (grey[i] ?? 0)
      sum += laplacian
      squares += laplacian * laplacian
    }
  }
  return Math.max(0, squares / count - (sum / count) ** 2)
}

/**
 * The eight statistics of a picture from its decoded bytes: brightness = mean of grey (0.2125 R + 0.7154 G + 0.0721 B), contrast = its standard deviation (RMS),
 * saturation = mean of (max - min) / max, the channels' mean shares channel / (R + G + B) (a third each where a pixel is black), sharpness = variance of the
 * Laplacian of grey, aspect_ratio = height / width. Channels and grey run from 0 to 1.
 */
export function imageStatistics({ pixels, width, height, aspectRatio }: RgbPicture): ImageStatistics {
  const count = width * height
  const grey = new Float32Array(count)
  const totals = { grey: 0, squares: 0, saturation: 0, red: 0, green: 0 }
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    const [r, g, b] = [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0]
    const level = (0.2125 * r + 0.7154 * g + 0.0721 * b) / 255
    const all = r + g + b
    const most = Math.max(r, g, b)
    grey[i] = level
    totals.grey += level
    totals.squares += level * level
    totals.saturation += most === 0 ? 0 : (most - Math.min(r, g, b)) / most
    totals.red += all === 0 ? 1 / 3 : r / all
    totals.green += all === 0 ? 1 / 3 : g / all
  }
  const brightness = totals.grey / count
  return {
    brightness,
    contrast: Math.sqrt(Math.max(0, totals.squares / count - brightness * brightness)),
    saturation: totals.saturation / count,
    red_share: totals.red / count,
    green_share: totals.green / count,
    blue_share: 1 - (totals.red + totals.green) / count,
    sharpness: sharpness(grey, width, height),
    aspect_ratio: aspectRatio ?? height / width,
  }
}
