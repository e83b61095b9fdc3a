import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type OnnxGraph, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { renderSvg } from '@millrace/platform/model/render-svg.ts'
import { seededRandom } from './seeded-random.ts'

const SIZE = 16

/** Circles, squares and bars of any colour: pictures small enough for tests. */
const drawings = {
  bar: (x: number, y: number, r: number) => `<rect x="0" y="${y}" width="48" height="${r / 3}"/><rect x="${x}" y="0" width="1" height="1"/>`,
  circle: (x: number, y: number, r: number) => `<circle cx="${x}" cy="${y}" r="${r}"/>`,
  square: (x: number, _y: number, r: number) => `<rect x="${x - r / 3}" y="0" width="${r / 3}" height="48"/>`,
} as const

type Shape = keyof typeof drawings

export const shapeNames: readonly Shape[] = ['bar', 'circle', 'square']

function picture(shape: Shape, key: string): Promise<Buffer> {
  const random = seededRandom(1, `${shape}/${key}`)
  const [x, y, r] = [16 + random.next() * 16, 16 + random.next() * 16, 12 + random.next() * 4]
  const ink = `hsl(${Math.floor(random.next() * 360)},60%,70%)`
  return renderSvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><rect width="48" height="48" fill="#222"/><g fill="${ink}">${drawings[shape](x, y, r)}</g></svg>`,
  )
}

/** Writes a data set of shapes: per class 8 pictures to train on, 3 to validate, 3 to test. */
export async function writeShapes(root: string): Promise<void> {
  for (const [split, count] of Object.entries({ train: 8, val: 3, test: 3 })) {
    for (const shape of shapeNames) {
      await mkdir(join(root, split, shape), { recursive: true })
      for (let i = 0; i < count; i++) await writeFile(join(root, split, shape, `${i}.png`), await picture(shape, `${split}/${i}`))
    }
  }
}

/** A backbone with one convolution of random kernels; as a feature map (`[n, 12, 4, 4]`) or pooled to a row. */
export function tinyBackbone(output: 'map' | 'row'): Uint8Array {
  const random = seededRandom(3, 'tiny')
  const conv: OnnxGraph['nodes'] = [
    { op: 'Conv', inputs: ['image', 'kernel'], outputs: ['raw'], attributes: { kernel_shape: { ints: [4, 4] }, strides: { ints: [4, 4] } } },
    { op: 'Relu', inputs: ['raw'], outputs: ['map'] },
  ]
  const flatten: OnnxGraph['nodes'] = output === 'map' ? [] : [{ op: 'Flatten', inputs: ['map'], outputs: ['row'] }]
  return writeOnnx({
    name: 'tiny',
    inputs: [{ name: 'image', shape: ['batch', 3, SIZE, SIZE] }],
    outputs: [{ name: output, shape: output === 'map' ? ['batch', 12, 4, 4] : ['batch', 192] }],
    initializers: [{ name: 'kernel', dims: [12, 3, 4, 4], data: Float32Array.from({ length: 576 }, () => random.normal() / 4) }],
    nodes: [...conv, ...flatten],
  })
}
