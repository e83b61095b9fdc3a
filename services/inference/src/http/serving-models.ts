import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { findModel } from '../choose-arm.ts'
import { keyOf, type WantedVersion, wantedBy } from '../domain/serving-plan.ts'
import { elementCount } from '../domain/tensor.ts'
import { type ServedArm, type ServedModel, servedArms } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import { type Exchange, json, type Reply } from './exchange.ts'

/** GET /api/v1/serving/models: what this pod answers with, what it is loading and what it could not load. */
export const createServingModels = (serving: ServingSet, pod: string) =>
  async function servingModels({ mayRead }: Exchange): Promise<Reply> {
    return json({
      pod,
      models: serving
        .all()
        .filter(({ model }) => mayRead(model))
        .flatMap((served) => [...servedArms(served).map((arm) => ({ ...describeServed(served, arm), ...describeLoad(arm) })), ...missing(serving, served)]),
    })
  }

/** GET /api/v1/serving/models/{name}: one model in this pod: its versions, and what the one that answers takes and gives. */
export const createServingModel = (serving: ServingSet, pod: string) =>
  async function servingModel({ params }: Exchange): Promise<Reply> {
    const served = findModel(serving, params.model)
    const [first] = servedArms(served)
    const spec = first?.loaded.spec
    return json({
      pod,
      model: served.model,
      generation: served.state.generation,
      versions: [...servedArms(served).map((arm) => ({ ...describeServed(served, arm), ...describeLoad(arm) })), ...missing(serving, served)],
      task: spec?.task ?? null,
      features: spec ? featuresOf(spec) : [],
      inputs: spec?.signature.inputs ?? [],
      outputs: spec?.signature.outputs ?? [],
      labels: spec?.labels?.map((label) => label.class) ?? null,
    })
  }

const describeLoad = ({ loaded }: ServedArm) => ({
  memoryBytes: loaded.memoryBytes,
  threads: loaded.threads,
  loadMs: Object.values(loaded.stages).reduce((sum, ms) => sum + ms, 0),
  inFlight: loaded.inFlight,
  queuedRows: loaded.queuedRows,
})

/** Columns by name where the model has them; else its inputs. `size` is how many values one row of it takes, null where that is open. */
function featuresOf({ columns, signature }: ModelSpec) {
  if (columns) return columns.map(({ name, type, required }) => ({ name, type, required: required !== false, size: 1 }))
  return signature.inputs.map(({ name, datatype, shape }) => {
    const inner = shape.slice(1)
    return { name, type: datatype, required: true, size: inner.includes(-1) ? null : elementCount(inner) }
  })
}

const describeServed = ({ model }: ServedModel, { arm, loaded }: ServedArm) => ({
  model,
  version: arm.version,
  arm: arm.arm,
  generation: arm.generation,
  digest: loaded.digest,
  state: 'ready',
  since: loaded.since.toISOString(),
  sizeBytes: loaded.sizeBytes,
  message: '',
})

/** What the newest record asks for and no arm answers with yet. */
function missing(serving: ServingSet, served: ServedModel) {
  const answering = new Set(servedArms(served).map(({ arm }) => `${arm.arm} ${arm.key}`))
  return wantedBy(served.state)
    .filter((wanted) => !answering.has(`${wanted.arm} ${keyOf(wanted)}`))
    .map((wanted) => describeMissing(serving, served, wanted))
}

function describeMissing(serving: ServingSet, { state }: ServedModel, wanted: WantedVersion) {
  const { status, failure } = serving.statusOf(wanted)
  return {
    model: wanted.model,
    version: wanted.version,
    arm: wanted.arm,
    generation: state.generation,
    digest: wanted.artifact.sha256,
    state: status === 'pending' || status === 'ready' ? 'loading' : status,
    since: null,
    sizeBytes: wanted.artifact.sizeBytes,
    message: failure ? `${failure.stage}: ${failure.message}` : '',
  }
}
