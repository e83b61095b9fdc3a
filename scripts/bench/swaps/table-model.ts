import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, type ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

/** A table of embeddings: large at will, and cheap to ask, so that what is measured is the swap and not the model. */
const WIDTH = 8
const PERIOD = 97
const FLOAT_BYTES = 4

/** What row `index` of a version holds in its first column; the others count on from it. Exact in 32-bit floats. */
export const cellOf = (version: number, index: number): number => version * 1000 + (index % PERIOD)

/** Rows of a table of about that size. */
export const rowsIn = (sizeBytes: number): number => Math.floor(sizeBytes / (WIDTH * FLOAT_BYTES))

function tableOf(version: number, sizeBytes: number): Uint8Array {
  const rows = rowsIn(sizeBytes)
  const data = new Float32Array(rows * WIDTH)
  for (let row = 0; row < rows; row++) for (let column = 0; column < WIDTH; column++) data[row * WIDTH + column] = cellOf(version, row) + column
  return writeOnnx({
    name: 'table',
    inputs: [{ name: 'index', type: 'int64', shape: ['n'] }],
    outputs: [{ name: 'row', shape: ['n', WIDTH] }],
    initializers: [{ name: 'table', dims: [rows, WIDTH], data }],
    nodes: [{ op: 'Gather', inputs: ['table', 'index'], outputs: ['row'], attributes: { axis: { int: 0 } } }],
  })
}

const spec: ModelSpec = {
  schemaVersion: 1,
  task: 'tensor',
  format: 'onnx',
  chain: [{ file: 'model.onnx' }],
  signature: { inputs: [{ name: 'index', datatype: 'INT64', shape: [-1] }], outputs: [{ name: 'row', datatype: 'FP32', shape: [-1, WIDTH] }] },
  labels: null,
  preprocessing: null,
  inputExample: null,
  parity: null,
  referenceProfile: null,
}

/** Stores a version of the table with its manifest, as sealing does. */
export async function sealTable(blobs: Blobs, version: number, sizeBytes: number): Promise<Artifact> {
  const files: readonly [string, Uint8Array][] = [
    [MODEL_SPEC_FILE, Buffer.from(JSON.stringify(spec))],
    ['model.onnx', tableOf(version, sizeBytes)],
  ]
  const entries: ManifestFile[] = []
  for (const [path, bytes] of files) entries.push({ path, ...(await blobs.put(bytes)) })
  const manifest = await blobs.put(Buffer.from(canonicalManifest(entries)))
  return {
    uri: `millrace-artifacts:/${manifest.sha256}`,
    sha256: manifest.sha256,
    sizeBytes: entries.reduce((sum, file) => sum + file.sizeBytes, 0),
    format: 'onnx',
  }
}
