import type { z } from 'zod'
import { HEADER_PREDICTION_ID, HEADER_ROUTING_KEY, inferResponse, modelMetadata } from '../http/inference.ts'
import type { Api, CallSettings } from './api.ts'

export interface Inference {
  readonly model: string
  /** None: the split decides. */
  readonly version?: string
  readonly inputs: readonly { name: string; shape: readonly number[]; datatype: string; data: readonly unknown[] }[]
  /** Names of the outputs wanted. None: all. */
  readonly outputs?: readonly string[]
  /** Requests with the same key get the same arm of a canary or an A/B test. */
  readonly routingKey?: string
  /** Labels that come later join on it. */
  readonly predictionId?: string
}

/** Predictions by the Open Inference Protocol. @throws the errors of `api`. */
export class PredictionClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  async infer({ model, version, inputs, outputs, routingKey, predictionId }: Inference, { signal }: CallSettings = {}): Promise<z.infer<typeof inferResponse>> {
    const body = { inputs, ...(outputs ? { outputs: outputs.map((name) => ({ name })) } : {}) }
    const headers = {
      ...(routingKey ? { [HEADER_ROUTING_KEY]: routingKey } : {}),
      ...(predictionId ? { [HEADER_PREDICTION_ID]: predictionId } : {}),
    }
    return this.#api.call({ method: 'POST', path: `${modelPath(model, version)}/infer`, body, headers, response: inferResponse, signal })
  }

  async metadata(model: string, version?: string, { signal }: CallSettings = {}): Promise<z.infer<typeof modelMetadata>> {
    return this.#api.call({ method: 'GET', path: modelPath(model, version), response: modelMetadata, signal })
  }
}

const modelPath = (model: string, version: string | undefined): string =>
  `/v2/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`
