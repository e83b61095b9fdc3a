import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { InferenceConfig } from '../config.ts'
import type { LogPrediction } from '../log-prediction.ts'
import type { ModelStatistics } from '../model-statistics.ts'
import type { RunInference } from '../run-inference.ts'
import type { RunShadow } from '../run-shadow.ts'
import type { ServingSet } from '../serving-set.ts'
import type { ImageReader } from '../threads/image-reader.ts'
import { createAskModel } from './ask-model.ts'
import type { DirectRoute } from './direct.ts'
import { createInfer } from './infer.ts'
import { createInvocations } from './invocations.ts'
import { createPing, scoringVersion } from './liveness.ts'
import { createListModels, createModelMetadata, createModelReady, createReady, live, serverMetadata } from './metadata.ts'
import { notOffered } from './not-offered.ts'
import { createPredict } from './predict.ts'
import { createPredictPicture } from './predict-picture.ts'
import { createRepositoryIndex, createRepositoryLoad, createRepositoryUnload, namedRepository } from './repository.ts'
import { createScoreLines } from './score-lines.ts'
import { createServingModel, createServingModels } from './serving-models.ts'
import { createStatistics } from './statistics.ts'
import { createListTensorflowModels, createTensorflowMetadata, createTensorflowStatus } from './tensorflow-models.ts'
import { createTensorflowPredict } from './tensorflow-predict.ts'

export interface RouteDeps {
  readonly serving: ServingSet
  readonly run: RunInference
  readonly images: ImageReader
  readonly logPrediction: LogPrediction
  readonly shadow: RunShadow
  readonly statistics: ModelStatistics
  readonly clock: Clock
  readonly newId: NewId
  readonly config: InferenceConfig
  readonly isReady: () => boolean
  readonly reconcile: (signal: AbortSignal) => Promise<void>
}

const GET = { method: 'GET', access: 'read' } as const
const POST = { method: 'POST', access: 'predict' } as const
const oip = { errors: 'oip' } as const
const mlflow = { errors: 'mlflow' } as const
const problem = { errors: 'problem' } as const

/** All that a pod answers on the prediction path: four dialects over one way of asking a model. */
export function createRoutes(deps: RouteDeps): DirectRoute[] {
  const { config } = deps
  const limits = { maxBodyBytes: config.INFERENCE_MAX_BODY_BYTES, maxRows: config.INFERENCE_MAX_REQUEST_ROWS }
  const asking: Asking = { ...deps, ...limits, ask: createAskModel({ ...deps, ...limits }) }
  return [...openInference(asking), ...repository(asking), ...tensorflow(asking), ...scoring(asking), ...own(asking)]
}

type Asking = RouteDeps & { readonly ask: ReturnType<typeof createAskModel>; readonly maxBodyBytes: number }

const MODEL = '/v2/models/:model'
const VERSION = '/v2/models/:model/versions/:version'

function openInference(deps: Asking): DirectRoute[] {
  const { serving } = deps
  const statistics = createStatistics(serving, deps.statistics)
  const perModel = (path: string): DirectRoute[] => [
    { ...POST, ...oip, path: `${path}/infer`, handle: createInfer(deps) },
    { ...GET, ...oip, path, handle: createModelMetadata(serving) },
    { ...GET, ...oip, path: `${path}/ready`, handle: createModelReady(serving) },
    { ...GET, ...oip, path: `${path}/stats`, handle: statistics },
  ]
  return [
    ...perModel(MODEL),
    ...perModel(VERSION),
    { ...GET, ...oip, path: '/v2', handle: serverMetadata },
    { ...GET, ...oip, path: '/v2/', handle: serverMetadata },
    { ...GET, ...oip, path: '/v2/health/live', access: 'public', handle: live },
    { ...GET, ...oip, path: '/v2/health/ready', access: 'public', handle: createReady(deps.isReady) },
    { ...GET, ...oip, path: '/v2/models', handle: createListModels(serving) },
    { ...GET, ...oip, path: '/v2/models/stats', handle: statistics },
  ]
}

function repository(deps: Asking): DirectRoute[] {
  const write = { method: 'POST', access: 'write', ...oip } as const
  return [
    { ...write, path: '/v2/repository/index', access: 'read', handle: createRepositoryIndex(deps) },
    { ...write, path: '/v2/repository/models/:model/load', handle: createRepositoryLoad(deps) },
    { ...write, path: '/v2/repository/models/:model/unload', handle: createRepositoryUnload(deps) },
    { ...write, path: '/v2/repository/:label/index', handle: namedRepository },
    { ...write, path: '/v2/repository/:label/models/:model/load', handle: namedRepository },
    { ...write, path: '/v2/repository/:label/models/:model/unload', handle: namedRepository },
  ]
}

function tensorflow(deps: Asking): DirectRoute[] {
  const { serving } = deps
  const predict = createTensorflowPredict(deps)
  const perModel = (path: string): DirectRoute[] => [
    { ...POST, ...oip, path: `${path}:predict`, handle: predict },
    ...['classify', 'regress', 'explain'].map((verb): DirectRoute => ({ ...POST, ...oip, path: `${path}:${verb}`, handle: notOffered })),
    { ...GET, ...oip, path, handle: createTensorflowStatus(serving) },
    { ...GET, ...oip, path: `${path}/metadata`, handle: createTensorflowMetadata(serving) },
  ]
  const paths = ['/v1/models/:model', '/v1/models/:model/versions/:version', '/v1/models/:model/labels/:label']
  return [{ ...GET, ...oip, path: '/v1/models', handle: createListTensorflowModels(serving) }, ...paths.flatMap(perModel)]
}

function scoring(deps: Asking): DirectRoute[] {
  const scoreLines = createScoreLines({ ...deps, maxLineBytes: deps.maxBodyBytes, groupRows: LINES_AT_ONCE })
  const invocations = createInvocations({ ...deps, scoreLines })
  const paths = ['/invocations', '/models/:model/invocations', '/models/:model/versions/:version/invocations']
  return [
    ...paths.map((path): DirectRoute => ({ ...POST, ...mlflow, path, handle: invocations })),
    { ...GET, ...mlflow, path: '/ping', access: 'public', handle: createPing(deps.serving, deps.isReady) },
    { ...GET, ...mlflow, path: '/version', access: 'public', handle: scoringVersion },
  ]
}

/** Enough for full batches on two threads, few enough that a stream never fills the queue. */
const LINES_AT_ONCE = 64

function own(deps: Asking): DirectRoute[] {
  const { serving, config } = deps
  const predict = createPredict({ ...deps, predictPicture: createPredictPicture(deps) })
  return [
    { ...POST, ...problem, path: '/predict', handle: predict },
    { ...GET, ...problem, path: '/api/v1/serving/models', handle: createServingModels(serving, config.INFERENCE_POD) },
    { ...GET, ...problem, path: '/api/v1/serving/models/:model', handle: createServingModel(serving, config.INFERENCE_POD) },
  ]
}
