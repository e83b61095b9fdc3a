import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, type ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

const SIZE = 8
export const testLabels = [
  { class: 'red', label: 'Red' },
  { class: 'green', label: 'Green' },
  { class: 'blue', label: 'Blue' },
  { class: 'grey', label: 'Grey' },
]

/** A classifier of pictures by their mean colour. Versions of different `tilt` give different probabilities to the same picture. */
export function colourModel(tilt: number): Record<string, Uint8Array> {
  const graph = writeOnnx({
    name: 'colour',
    inputs: [{ name: 'image', shape: ['n', SIZE, SIZE, 3] }],
    outputs: [{ name: 'probabilities', shape: ['n', 4] }],
    initializers: [
      { name: 'w', dims: [3, 4], data: Float32Array.of(4, 0, 0, 1, 0, 4, 0, 1, 0, 0, 4, 1) },
      { name: 'b', dims: [4], data: Float32Array.of(tilt, 0, 0, 0.5) },
    ],
    nodes: [
      { op: 'ReduceMean', inputs: ['image'], outputs: ['mean'], attributes: { axes: { ints: [1, 2] }, keepdims: { int: 0 } } },
      { op: 'Gemm', inputs: ['mean', 'w', 'b'], outputs: ['logits'] },
      { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'], attributes: { axis: { int: -1 } } },
    ],
  })
  return {
    'model.onnx': graph,
    [MODEL_SPEC_FILE]: json({
      ...specOf('image-classification'),
      signature: {
        inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, SIZE, SIZE, 3] }],
        outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 4] }],
      },
      labels: testLabels,
      preprocessing: { kind: 'image', width: SIZE, height: SIZE, layout: 'NHWC', resize: 'fill', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
    } satisfies ModelSpec),
  }
}

/** y = factor * x + 1, row by row, and the bare product. */
export function scaleModel(factor: number) {
  const graph = writeOnnx({
    name: 'scale',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'product', shape: ['n', 2] },
    ],
    initializers: [
      { name: 'factor', dims: [1], data: Float32Array.of(factor) },
      { name: 'one', dims: [1], data: Float32Array.of(1) },
    ],
    nodes: [
      { op: 'Mul', inputs: ['x', 'factor'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'one'], outputs: ['y'] },
    ],
  })
  const pair = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 2] })
  const signature = { inputs: [pair('x')], outputs: [pair('y'), pair('product')] }
  const example = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }
  const spec: ModelSpec = { ...specOf('tensor'), signature, inputExample: 'example.json' }
  return { 'model.onnx': graph, 'example.json': json(example), [MODEL_SPEC_FILE]: json(spec) }
}

/** y = x, after multiplying large matrices: for many seconds, or less with a smaller `side`. */
export function slowModel(side = 4096): Record<string, Uint8Array> {
  const steps = Array.from({ length: 20 }, (_, index) => ({ op: 'MatMul', inputs: [index === 0 ? 'big' : `m${index - 1}`, 'big'], outputs: [`m${index}`] }))
  const graph = writeOnnx({
    name: 'slow',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'product', shape: ['n', 2] },
    ],
    initializers: [{ name: 'shape', dims: [2], data: BigInt64Array.of(BigInt(side), BigInt(side)) }],
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { keepdims: { int: 0 } } },
      { op: 'Expand', inputs: ['mean', 'shape'], outputs: ['big'] },
      ...steps,
      { op: 'ReduceMax', inputs: ['m19'], outputs: ['max'], attributes: { keepdims: { int: 0 } } },
      { op: 'Add', inputs: ['x', 'max'], outputs: ['y'] },
      { op: 'Identity', inputs: ['y'], outputs: ['product'] },
    ],
  })
  return { ...scaleModel(1), 'model.onnx': graph }
}

const specOf = (task: string) => ({
  schemaVersion: 1 as const,
  task,
  format: 'onnx',
  chain: [{ file: 'model.onnx' }],
  labels: null,
  preprocessing: null,
  inputExample: null,
  parity: null,
  referenceProfile: null,
})

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** Stores the files and their manifest, as sealing does. */
export async function sealArtifact(blobs: Blobs, files: Record<string, Uint8Array>): Promise<Artifact> {
  const entries: ManifestFile[] = []
  for (const [path, bytes] of Object.entries(files)) entries.push({ path, ...(await blobs.put(bytes)) })
  const manifest = await blobs.put(Buffer.from(canonicalManifest(entries)))
  const sizeBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0)
  return { uri: `millrace-artifacts:/${manifest.sha256}`, sha256: manifest.sha256, sizeBytes, format: 'onnx' }
}
