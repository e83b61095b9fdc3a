import type { NewId } from '@millrace/platform/clock.ts'
import type { InferenceConfig } from '../config.ts'
import type { LogPrediction } from '../log-prediction.ts'
import type { RunInference } from '../run-inference.ts'
import type { RunShadow } from '../run-shadow.ts'
import type { ServingSet } from '../serving-set.ts'
import type { ImageReader } from '../threads/image-reader.ts'
import type { DirectRoute } from './direct.ts'
import { createInfer } from './infer.ts'
import { createListModels, createModelMetadata, createModelReady, createReady, live, serverMetadata } from './metadata.ts'
import { createPredict } from './predict.ts'
import { createServingModels } from './serving-models.ts'

export interface RouteDeps {
  readonly serving: ServingSet
  readonly run: RunInference
  readonly images: ImageReader
  readonly logPrediction: LogPrediction
  readonly shadow: RunShadow
  readonly newId: NewId
  readonly config: InferenceConfig
  readonly isReady: () => boolean
}

const oip = { method: 'GET', access: 'read', errors: 'oip' } as const
const MODEL = '/v2/models/:model'
const VERSION = '/v2/models/:model/versions/:version'

/** All that a pod answers on the prediction path. */
export function createRoutes(deps: RouteDeps): DirectRoute[] {
  const { serving, config } = deps
  const limits = { maxBodyBytes: config.INFERENCE_MAX_BODY_BYTES, maxRows: config.INFERENCE_MAX_REQUEST_ROWS }
  const infer = createInfer({ ...deps, ...limits })
  const metadata = createModelMetadata(serving)
  const modelReady = createModelReady(serving)
  return [
    { method: 'POST', path: '/predict', access: 'predict', errors: 'problem', handle: createPredict({ ...deps, ...limits }) },
    { method: 'POST', path: `${MODEL}/infer`, access: 'predict', errors: 'oip', handle: infer },
    { method: 'POST', path: `${VERSION}/infer`, access: 'predict', errors: 'oip', handle: infer },
    { ...oip, path: '/v2', handle: serverMetadata },
    { ...oip, path: '/v2/health/live', access: 'public', handle: live },
    { ...oip, path: '/v2/health/ready', access: 'public', handle: createReady(deps.isReady) },
    { ...oip, path: '/v2/models', handle: createListModels(serving) },
    { ...oip, path: MODEL, handle: metadata },
    { ...oip, path: VERSION, handle: metadata },
    { ...oip, path: `${MODEL}/ready`, handle: modelReady },
    { ...oip, path: `${VERSION}/ready`, handle: modelReady },
    { method: 'GET', path: '/api/v1/serving/models', access: 'read', errors: 'problem', handle: createServingModels(serving, config.INFERENCE_POD) },
  ]
}
