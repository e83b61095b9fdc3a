import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OnnxGraph, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBackbone } from './backbone.ts'
import { defaultBackbonePath } from './settings.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backbone-'))
})

afterEach(() => rm(folder, { recursive: true }))

/** A graph that hands its input through; enough to be described. */
async function write(shape: OnnxGraph['inputs'][number]['shape'], side?: { name: string; content: unknown }): Promise<string> {
  const path = join(folder, 'net.onnx')
  const graph: OnnxGraph = {
    name: 'n',
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', shape }],
    initializers: [],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  }
  await writeFile(path, writeOnnx(graph))
  if (side) await writeFile(join(folder, side.name), typeof side.content === 'string' ? side.content : JSON.stringify(side.content))
  return path
}

async function preprocessingOf(path: string) {
  const { preprocessing, chain } = await openBackbone(path)
  await chain.release()
  return preprocessing
}

test('size and layout come from the graph, normalisation from ImageNet’s habits', async () => {
  expect(await preprocessingOf(await write(['n', 3, 20, 30]))).toMatchObject({
    layout: 'NCHW',
    width: 30,
    height: 20,
    mean: [0.485, 0.456, 0.406],
    resize: 'fill',
  })
  expect(await preprocessingOf(await write(['n', 20, 30, 3]))).toMatchObject({ layout: 'NHWC', width: 30, height: 20 })
})

test('where the graph leaves the size open, the side file gives it, else 224', async () => {
  expect(await preprocessingOf(await write(['n', 3, 'h', 'w']))).toMatchObject({ width: 224, height: 224 })
  const side = { name: 'net.json', content: { width: 380, height: 300, resize: 'cover', scale: 1, mean: [0, 0, 0] } }
  expect(await preprocessingOf(await write(['n', 3, 'h', 'w'], side))).toMatchObject({ width: 380, height: 300, resize: 'cover', scale: 1, mean: [0, 0, 0] })
})

test('<file>.json goes before <name>.json', async () => {
  await writeFile(join(folder, 'net.json'), '{"resize":"fill"}')
  expect(await preprocessingOf(await write(['n', 3, 8, 8], { name: 'net.onnx.json', content: { resize: 'cover' } }))).toMatchObject({ resize: 'cover' })
})

test('a side file that is no JSON or out of range is refused', async () => {
  await expect(openBackbone(await write(['n', 3, 8, 8], { name: 'net.json', content: '{' }))).rejects.toThrow('it is not JSON')
  await expect(openBackbone(await write(['n', 3, 8, 8], { name: 'net.json', content: { std: [0, 1, 1] } }))).rejects.toThrow('std')
})

test('a graph that does not take images is refused', async () => {
  await expect(openBackbone(await write(['n', 12]))).rejects.toThrow('expected FP32 [n, 3, height, width]')
})

test('the shipped backbone is under one megabyte and gives 256 features', async () => {
  const { bytes, output, chain } = await openBackbone(defaultBackbonePath)
  expect(bytes.length).toBeLessThan(1_000_000)
  expect(output.shape).toEqual([-1, 256])
  await chain.release()
})
