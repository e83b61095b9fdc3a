import type { z } from 'zod'
import {
  lineage,
  type ModelOverview,
  type ModelVersion,
  modelOverviews,
  modelVersionResponse,
  type Stage,
  type VersionDetail,
  versionDetail,
} from '../http/registry.ts'
import { emptyResponse } from '../http/tracking.ts'
import { type Api, type CallSettings, codeOf } from './api.ts'

const API = '/api/2.0/mlflow'
const OWN = '/api/v1/models'

export interface NewVersion {
  readonly model: string
  /** Such as `runs:/<run id>/model` or `models:/m-…`. */
  readonly source: string
  readonly runId?: string
  readonly description?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface Transition {
  readonly model: string
  readonly version: string
  readonly stage: Stage
  /** Kept in the audit log. */
  readonly reason?: string
  /** A repeated call with the same key changes nothing more. */
  readonly key: string
}

/** Registered models, their versions, stages, aliases and lineage. @throws the errors of `api`. */
export class RegistryClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  async models({ signal }: CallSettings = {}): Promise<ModelOverview[]> {
    return (await this.#api.call({ method: 'GET', path: OWN, response: modelOverviews, signal })).models
  }

  /** Makes the model unless it is there. */
  async ensureModel(name: string, { signal }: CallSettings = {}): Promise<void> {
    try {
      await this.#api.call({ method: 'POST', path: `${API}/registered-models/create`, body: { name }, response: emptyResponse, signal })
    } catch (error) {
      if (codeOf(error) !== 'RESOURCE_ALREADY_EXISTS') throw error
    }
  }

  /** The version is sealed in the background: PENDING_REGISTRATION at first, then READY. */
  async createVersion({ model, source, runId, description, tags = {} }: NewVersion, { signal }: CallSettings = {}): Promise<ModelVersion> {
    const body = { name: model, source, run_id: runId, description, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }
    const answer = await this.#api.call({ method: 'POST', path: `${API}/model-versions/create`, body, response: modelVersionResponse, signal })
    return answer.model_version
  }

  async version(model: string, version: string, { signal }: CallSettings = {}): Promise<VersionDetail> {
    return this.#api.call({ method: 'GET', path: versionPath(model, version), response: versionDetail, signal })
  }

  async versionByAlias(model: string, alias: string, { signal }: CallSettings = {}): Promise<ModelVersion> {
    const path = `${API}/registered-models/alias?name=${encodeURIComponent(model)}&alias=${encodeURIComponent(alias)}`
    return (await this.#api.call({ method: 'GET', path, response: modelVersionResponse, signal })).model_version
  }

  async setAlias(model: string, alias: string, version: string, { signal }: CallSettings = {}): Promise<void> {
    await this.#api.call({ method: 'POST', path: `${API}/registered-models/alias`, body: { name: model, alias, version }, response: emptyResponse, signal })
  }

  async transitionStage({ model, version, stage, reason, key }: Transition, { signal }: CallSettings = {}): Promise<ModelVersion> {
    const body = { name: model, version, stage, archive_existing_versions: false, reason }
    const headers = { 'idempotency-key': key }
    const path = `${API}/model-versions/transition-stage`
    return (await this.#api.call({ method: 'POST', path, body, headers, response: modelVersionResponse, signal })).model_version
  }

  async lineage(model: string, version: string, { signal }: CallSettings = {}): Promise<z.infer<typeof lineage>> {
    return this.#api.call({ method: 'GET', path: `${versionPath(model, version)}/lineage`, response: lineage, signal })
  }
}

const versionPath = (model: string, version: string): string => `${OWN}/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`
