import { type Datatype, datatypes, MODEL_SPEC_FILE, type ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { ortTypeOf } from '@millrace/platform/model/tensor-values.ts'
import { json } from './test-model.ts'

/** Answers what it is asked: for each datatype an input `IN_<datatype>` `[n, 2]` and an output `OUT_<datatype>`. */
export function echoModel(of: readonly Datatype[] = datatypes) {
  const graph = writeOnnx({
    name: 'echo',
    inputs: of.map((datatype) => ({ name: `IN_${datatype}`, type: ortTypeOf(datatype), shape: ['n', 2] })),
    outputs: of.map((datatype) => ({ name: `OUT_${datatype}`, type: ortTypeOf(datatype), shape: ['n', 2] })),
    initializers: [],
    nodes: of.map((datatype) => ({ op: 'Identity', inputs: [`IN_${datatype}`], outputs: [`OUT_${datatype}`] })),
  })
  const spec: ModelSpec = {
    ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], labels: null, preprocessing: null },
    ...{ inputExample: null, parity: null, referenceProfile: null },
    signature: {
      inputs: of.map((datatype) => ({ name: `IN_${datatype}`, datatype, shape: [-1, 2] })),
      outputs: of.map((datatype) => ({ name: `OUT_${datatype}`, datatype, shape: [-1, 2] })),
    },
  }
  return { 'model.onnx': graph, [MODEL_SPEC_FILE]: json(spec) }
}
