import type { Datatype, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { findModel, servedModels } from '../choose-arm.ts'
import { wantedBy } from '../domain/serving-plan.ts'
import type { ServedModel } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import { armFor } from './arm-for.ts'
import { type Exchange, json, type PathParams, type Reply } from './exchange.ts'
import { wishFor } from './version-wish.ts'

const wishOf = (served: ServedModel, { version, label }: PathParams) => (label === null ? wishFor(served, version) : { version: null, label })

/** GET /v1/models, as KServe's first protocol lists them. */
export const createListTensorflowModels = (serving: ServingSet) =>
  async function listTensorflowModels({ mayRead }: Exchange): Promise<Reply> {
    const models = servedModels(serving).map(({ model }) => model)
    return json({ models: models.filter(mayRead) })
  }

/** GET /v1/models/M[/versions/V|/labels/L]: TensorFlow Serving's states of each version; `name` and `ready` for clients of KServe's first protocol. */
export const createTensorflowStatus = (serving: ServingSet) =>
  async function tensorflowStatus({ params }: Exchange): Promise<Reply> {
    const served = findModel(serving, params.model)
    const { version, label } = wishOf(served, params)
    const meant = wantedBy(served.state).filter((wanted) => (version === null || wanted.version === version) && (label === null || wanted.arm === label))
    if (meant.length === 0) throw new AppError('RESOURCE_DOES_NOT_EXIST', `The model '${served.model}' has no such version in service.`)
    const states = new Map(meant.map((wanted) => [wanted.version, serving.statusOf(wanted)]))
    const statuses = [...states].map(([name, { status, failure }]) => ({
      version: name,
      state: status === 'ready' ? 'AVAILABLE' : status === 'failed' ? 'END' : 'LOADING',
      status: { error_code: failure ? 'UNKNOWN' : 'OK', error_message: failure ? `${failure.stage}: ${failure.message}` : '' },
    }))
    return json({ name: served.model, ready: statuses.some(({ state }) => state === 'AVAILABLE'), model_version_status: statuses })
  }

const tensorflowTypes: Readonly<Record<Datatype, string>> = {
  BOOL: 'DT_BOOL',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
}

/** Sizes are 64-bit integers, which the JSON of protocol buffers writes as text. */
const tensorInfo = ({ name, datatype, shape }: TensorSpec) => ({
  dtype: tensorflowTypes[datatype],
  tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
  name,
})

const byName = (specs: readonly TensorSpec[]) => Object.fromEntries(specs.map((spec) => [spec.name, tensorInfo(spec)]))

/** GET /v1/models/M[/versions/V|/labels/L]/metadata */
export const createTensorflowMetadata = (serving: ServingSet) =>
  async function tensorflowMetadata({ params }: Exchange): Promise<Reply> {
    const served = findModel(serving, params.model)
    const { arm, loaded } = armFor(served, wishOf(served, params))
    const { inputs, outputs } = loaded.spec.signature
    const definition = { inputs: byName(inputs), outputs: byName(outputs), method_name: 'tensorflow/serving/predict' }
    return json({
      model_spec: { name: served.model, signature_name: '', version: arm.version },
      metadata: { signature_def: { signature_def: { serving_default: definition } } },
    })
  }
