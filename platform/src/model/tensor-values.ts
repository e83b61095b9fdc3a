import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import type { Tensor } from 'onnxruntime-node'

/** Elements of a tensor as the runtime holds them; BYTES are strings, BOOL and FP16 are their bytes. */
export type TensorValues = Tensor['data']

const onnxNames = {
  BOOL: 'bool',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, Tensor.Type>

export const ortTypeOf = (datatype: Datatype): (typeof onnxNames)[Datatype] => onnxNames[datatype]

const datatypeByOnnxName = new Map<string, Datatype>()
for (const [datatype, name] of Object.entries(onnxNames)) if (isDatatype(datatype)) datatypeByOnnxName.set(name, datatype)

function isDatatype(name: string): name is Datatype {
  return name in onnxNames
}

/** The Open Inference Protocol's name for a runtime's element type, or null where it has none. */
export const datatypeOfOnnx = (name: string): Datatype | null => datatypeByOnnxName.get(name) ?? null
