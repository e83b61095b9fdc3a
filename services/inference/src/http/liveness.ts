import { servedModels } from '../choose-arm.ts'
import type { ServingSet } from '../serving-set.ts'
import type { Reply } from './exchange.ts'

/** The release of MLflow whose scoring server is followed. */
const MLFLOW_VERSION = '3.11.1'
const text = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }

/** GET /ping: an empty line once there is a model to ask, 404 before. */
export const createPing = (serving: ServingSet, isReady: () => boolean) =>
  async function ping(): Promise<Reply> {
    return { status: isReady() && servedModels(serving).length > 0 ? 200 : 404, headers: text, body: '\n' }
  }

/** GET /version */
export const scoringVersion = async (): Promise<Reply> => ({ status: 200, headers: text, body: MLFLOW_VERSION })
