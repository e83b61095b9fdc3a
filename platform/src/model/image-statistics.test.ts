import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageStatistics } from './image-statistics.ts'

const flat = (r: number, g: number, b: number, width = 4, height = 2) => ({
  pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3] ?? 0),
  width,
  height,
})

test('an even grey has no contrast, no saturation, no sharpness and equal shares', () => {
  const statistics = imageStatistics(flat(51, 51, 51))
  expect(statistics).toMatchObject({ saturation: 0, sharpness: 0, aspect_ratio: 0.5 })
  expect(statistics.brightness).toBeCloseTo(0.2, 6)
  expect(statistics.contrast).toBeCloseTo(0, 6)
  for (const share of [statistics.red_share, statistics.green_share, statistics.blue_share]) expect(share).toBeCloseTo(1 / 3, 6)
})

test('brightness weighs the channels as grey does', () => {
  expect(imageStatistics(flat(255, 0, 0)).brightness).toBeCloseTo(0.2125, 6)
  expect(imageStatistics(flat(0, 255, 0)).brightness).toBeCloseTo(0.7154, 6)
  expect(imageStatistics(flat(0, 0, 255)).brightness).toBeCloseTo(0.0721, 6)
})

test('a black picture has shares of a third and no saturation', () => {
  expect(imageStatistics(flat(0, 0, 0))).toMatchObject({ brightness: 0, saturation: 0, red_share: 1 / 3 })
})

test('half black, half white has a contrast of one half', () => {
  const pixels = Uint8Array.from({ length: 12 * 3 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 255))
  expect(imageStatistics({ pixels, width: 4, height: 3 }).contrast).toBeCloseTo(0.5, 6)
})

test('one bright pixel has the Laplacian variance worked out by hand', () => {
  const pixels = new Uint8Array(4 * 3 * 3)
  pixels.fill(255, 5 * 3, 6 * 3)
  expect(imageStatistics({ pixels, width: 4, height: 3 }).sharpness).toBeCloseTo((16 + 1) / 2 - (-3 / 2) ** 2, 5)
})

test('the whole picture’s aspect ratio counts, not that of the copy', () => {
  expect(imageStatistics({ ...flat(1, 2, 3), aspectRatio: 0.75 }).aspect_ratio).toBe(0.75)
})

test('all statistics of any picture are finite, and the shares sum to one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat(255)), (width, height, bytes) => {
      const statistics = imageStatistics({ pixels: Uint8Array.from({ length: width * height * 3 }, () => bytes.next().value ?? 0), width, height })
      expect(Object.values(statistics).every(Number.isFinite)).toBe(true)
      expect(statistics.red_share + statistics.green_share + statistics.blue_share).toBeCloseTo(1, 9)
    }),
  )
})
