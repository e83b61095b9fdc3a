import { AppError, messageOf } from '@millrace/platform/errors.ts'
import { findModel, servedModels } from '../choose-arm.ts'
import { servedArms } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import { armFor } from './arm-for.ts'
import { type Exchange, json, type Reply } from './exchange.ts'
import { wishFor } from './version-wish.ts'

const VERSION = '0.1.0'
const PLATFORM = 'onnx_onnxv1'
const EXTENSIONS = ['binary_tensor_data', 'model_repository', 'schedule_policy', 'statistics']

/** GET /v2 */
export const serverMetadata = async (): Promise<Reply> => json({ name: 'millrace', version: VERSION, extensions: EXTENSIONS })

/** GET /v2/health/live */
export const live = async (): Promise<Reply> => json({ live: true })

/** GET /v2/health/ready. Both keys: the published document prints the one for the other. */
export const createReady = (isReady: () => boolean) =>
  async function ready(): Promise<Reply> {
    return json({ live: true, ready: isReady() }, {}, isReady() ? 200 : 503)
  }

/** GET /v2/models */
export const createListModels = (serving: ServingSet) =>
  async function listModels({ mayRead }: Exchange): Promise<Reply> {
    const models = servedModels(serving).map(({ model }) => model)
    return json({ models: models.filter(mayRead) })
  }

/** GET /v2/models/M[/versions/V] */
export const createModelMetadata = (serving: ServingSet) =>
  async function modelMetadata({ params }: Exchange): Promise<Reply> {
    const served = findModel(serving, params.model)
    const { arm, loaded } = armFor(served, wishFor(served, params.version))
    const versions = new Set(servedArms(served).map((item) => item.arm.version))
    const { inputs, outputs } = loaded.spec.signature
    const properties = { sha256: loaded.digest, generation: String(arm.generation), version: arm.version }
    return json({ name: served.model, versions: [...versions], platform: PLATFORM, inputs, outputs, properties })
  }

/** GET /v2/models/M[/versions/V]/ready */
export const createModelReady = (serving: ServingSet) =>
  async function modelReady({ params }: Exchange): Promise<Reply> {
    const served = findModel(serving, params.model)
    try {
      armFor(served, wishFor(served, params.version))
      return json({ name: served.model, ready: true })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'TEMPORARILY_UNAVAILABLE') throw error
      return json({ name: served.model, ready: false, error: messageOf(error) }, { 'retry-after': '1' }, 503)
    }
  }
