import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { type ModelFixture, networkFixture } from '../testing/model-folder.ts'
import { inspectOnnx } from './onnx-file.ts'
import { defaultOnnxLimits } from './onnx-limits.ts'
import { writeOnnx } from './onnx-writer.ts'
import { intField, messageField, textField } from './protobuf-writer.ts'
import { skimOnnx } from './skim-onnx.ts'

async function* chunksOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const sizes = new Map([['weights.data', 1280]])

/** What is found, or that it was refused. */
async function verdict(find: () => unknown): Promise<unknown> {
  try {
    return await find()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return 'refused'
  }
}

const whole = (bytes: Uint8Array) => verdict(() => inspectOnnx(bytes, defaultOnnxLimits, sizes))
const skimmed = (bytes: Uint8Array, chunkBytes: number) =>
  verdict(async () => inspectOnnx(await skimOnnx(chunksOf(bytes, chunkBytes), defaultOnnxLimits), defaultOnnxLimits, sizes))

const fixtures: ModelFixture[] = ['all-types', 'contrib', 'functions', 'side-file', 'sklearn-columns', 'sklearn-strings', 'sklearn-zipmap', 'xgboost']
const networks = fixtures.map(networkFixture)

test.each(fixtures)('%s says the same of itself skimmed as whole, however it is cut', async (name) => {
  const bytes = networkFixture(name)
  expect(await whole(bytes)).not.toBe('refused')
  for (const chunkBytes of [1, 2, 3, 17, 4096]) expect(await skimmed(bytes, chunkBytes)).toEqual(await whole(bytes))
})

test('a damaged model is refused skimmed where it is refused whole, and never ends in another error', async () => {
  const damage = fc.record({
    of: fc.nat(networks.length - 1),
    changes: fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 6 }),
    cut: fc.option(fc.nat(4000)),
    chunkBytes: fc.integer({ min: 1, max: 600 }),
  })
  await fc.assert(
    fc.asyncProperty(damage, async ({ of, changes, cut, chunkBytes }) => {
      const bytes = Uint8Array.from(networks[of] ?? [])
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      const damaged = cut === null ? bytes : bytes.subarray(0, cut)
      expect(await skimmed(damaged, chunkBytes)).toEqual(await whole(damaged))
    }),
    { numRuns: 1500, seed: 1 },
  )
})

test('noise is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await skimmed(bytes, 13)).toEqual(await whole(bytes))
    }),
    { numRuns: 500, seed: 1 },
  )
})

test('weights that are said to be elsewhere, without a word where, are not lost sight of', async () => {
  const tensor = messageField(5, [intField(2, 1), textField(8, 'w'), intField(14, 1)])
  const value = (field: number) => messageField(field, [textField(1, 'x'), messageField(2, [messageField(1, [intField(1, 1)])])])
  const bytes = messageField(7, [tensor, value(11), value(12)])
  await expect(skimOnnx(chunksOf(bytes, 5), defaultOnnxLimits).then((kept) => inspectOnnx(kept))).rejects.toThrow('external data')
})

test('what is kept of a network does not grow with its weights', async () => {
  const wide = (size: number) =>
    writeOnnx({
      ...{ name: 'wide', inputs: [{ name: 'x', shape: ['n', 1] }], outputs: [{ name: 'y', shape: ['n', size] }] },
      initializers: [{ name: 'w', dims: [1, size], data: new Float32Array(size) }],
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    })
  expect((await skimOnnx(chunksOf(wide(1_000_000), 65_536), defaultOnnxLimits)).length).toBeLessThan(200)
})

test('a stream beyond the limit is given up', async () => {
  const limits = { ...defaultOnnxLimits, maxBytes: 100 }
  await expect(skimOnnx(chunksOf(networks[0] ?? new Uint8Array(), 10), limits)).rejects.toThrow('more than 100 bytes')
})
