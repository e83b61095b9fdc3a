import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, type Signature } from '@millrace/contracts/model/model-spec.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

/** Doubles two numbers. */
const doubling = writeOnnx({
  name: 'doubling',
  inputs: [{ name: 'x', shape: ['n', 2] }],
  outputs: [{ name: 'y', shape: ['n', 2] }],
  initializers: [{ name: 'two', dims: [1], data: Float32Array.of(2) }],
  nodes: [{ op: 'Mul', inputs: ['x', 'two'], outputs: ['y'] }],
})

export const doublingSignature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
}

export interface StoredModel {
  readonly artifact: Artifact
  readonly files: readonly ManifestFile[]
}

export interface ModelOptions {
  /** What the trainer's runtime is said to have answered to [[1, 2]]; null leaves the rows out. */
  readonly parityAnswers?: readonly number[] | null
  readonly onnx?: Uint8Array
  /** Instead of all these: the files of another model. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** Makes the artifact another one. */
  readonly note?: string
}

/** A sealed artifact in the store. */
export async function storeModel(blobs: Blobs, { parityAnswers = [2, 4], onnx = doubling, note = '', files: others }: ModelOptions = {}): Promise<StoredModel> {
  const tensor = (name: string, data: readonly number[]) => ({ name, datatype: 'FP32', shape: [1, 2], data })
  const spec = {
    ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], signature: doublingSignature, labels: null, preprocessing: null },
    ...{ inputExample: 'example.json', parity: parityAnswers === null ? null : 'parity.json', referenceProfile: null, note },
  }
  const contents: Readonly<Record<string, Uint8Array>> = others ?? {
    [MODEL_SPEC_FILE]: json(spec),
    'model.onnx': onnx,
    'example.json': json({ inputs: [tensor('x', [1, 2])] }),
    'parity.json': json({ tolerance: 1e-4, inputs: [tensor('x', [1, 2])], outputs: [tensor('y', parityAnswers ?? [0, 0])] }),
  }
  const files: ManifestFile[] = []
  for (const [path, bytes] of Object.entries(contents)) files.push({ path, ...(await blobs.put(bytes)) })
  const { sha256 } = await blobs.put(Buffer.from(canonicalManifest(files)))
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return { files, artifact: { uri: `blob:${sha256}`, sha256, sizeBytes, format: 'onnx' } }
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
