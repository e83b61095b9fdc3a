import { type Column, MODEL_SPEC_FILE, type ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { json } from './test-model.ts'

export const tableColumns: readonly Column[] = [
  { name: 'age', type: 'double' },
  { name: 'income', type: 'double' },
  { name: 'debt', type: 'double', required: false },
]

/** A regression over three named columns: `score` `[n, 1]` is age + 10 income + 100 debt; `parts` `[n, 3]` are its terms. */
export function tableModel() {
  const graph = writeOnnx({
    name: 'table',
    inputs: [{ name: 'input', shape: ['n', 3] }],
    outputs: [
      { name: 'score', shape: ['n', 1] },
      { name: 'parts', shape: ['n', 3] },
    ],
    initializers: [
      { name: 'w', dims: [3, 1], data: Float32Array.of(1, 10, 100) },
      { name: 'row', dims: [1, 3], data: Float32Array.of(1, 10, 100) },
    ],
    nodes: [
      { op: 'MatMul', inputs: ['input', 'w'], outputs: ['score'] },
      { op: 'Mul', inputs: ['input', 'row'], outputs: ['parts'] },
    ],
  })
  const spec: ModelSpec = {
    ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], labels: null, preprocessing: null },
    ...{ inputExample: null, parity: null, referenceProfile: null, columns: [...tableColumns] },
    signature: {
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [
        { name: 'score', datatype: 'FP32', shape: [-1, 1] },
        { name: 'parts', datatype: 'FP32', shape: [-1, 3] },
      ],
    },
  }
  return { 'model.onnx': graph, [MODEL_SPEC_FILE]: json(spec) }
}
