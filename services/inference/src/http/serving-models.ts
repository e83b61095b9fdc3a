import { keyOf, type WantedVersion, wantedBy } from '../domain/serving-plan.ts'
import { type ServedArm, type ServedModel, type ServingSet, servedArms } from '../serving-set.ts'
import { json, type Reply } from './exchange.ts'

/** GET /api/v1/serving/models: what this pod answers with, what it is loading and what it could not load. */
export const createServingModels = (serving: ServingSet, pod: string) =>
  async function servingModels(): Promise<Reply> {
    return json({
      pod,
      models: serving.all().flatMap((served) => [...servedArms(served).map((arm) => describeServed(served, arm)), ...missing(serving, served)]),
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
    state: status === 'failed' ? 'failed' : 'loading',
    since: null,
    sizeBytes: wanted.artifact.sizeBytes,
    message: failure ? `${failure.stage}: ${failure.message}` : '',
  }
}
