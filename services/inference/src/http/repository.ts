import { setTimeout as pause } from 'node:timers/promises'
import { AppError } from '@millrace/platform/errors.ts'
import { findModel, notReady } from '../choose-arm.ts'
import { isObject } from '../domain/parse-infer-body.ts'
import { type WantedVersion, wantedBy } from '../domain/serving-plan.ts'
import type { ServingSet } from '../serving-set.ts'
import { type Exchange, json, type Reply } from './exchange.ts'
import { readBody } from './read-body.ts'
import { readJson } from './read-json.ts'

export interface RepositoryDeps {
  readonly serving: ServingSet
  /** Asks the registry for what it wants served, and applies it. */
  readonly reconcile: (signal: AbortSignal) => Promise<void>
  readonly maxBodyBytes: number
}

const LOOK_EVERY_MS = 10

/** A body that may be left out. */
async function optionalBody(exchange: Exchange, maxBytes: number): Promise<Readonly<Record<string, unknown>>> {
  const { request } = exchange
  const empty = request.headers['content-length'] === '0' || (!request.headers['content-length'] && !request.headers['transfer-encoding'])
  const body = empty ? {} : await readJson(exchange, maxBytes, 'send an object or nothing')
  if (!isObject(body)) throw new AppError('BAD_REQUEST', 'The body must be an object.')
  return body
}

/** POST /v2/repository/index: every version that is in service or on its way there. */
export const createRepositoryIndex = ({ serving, maxBodyBytes }: RepositoryDeps) =>
  async function repositoryIndex(exchange: Exchange): Promise<Reply> {
    const { ready } = await optionalBody(exchange, maxBodyBytes)
    if (ready !== undefined && typeof ready !== 'boolean') throw new AppError('BAD_REQUEST', 'ready must be true or false.')
    const versions = serving.all().flatMap(({ state }) => new Map(wantedBy(state).map((wanted) => [wanted.version, wanted])).values().toArray())
    const entries = versions.filter(({ model }) => exchange.mayRead(model)).map((wanted) => describe(serving, wanted))
    return json(ready === true ? entries.filter(({ state }) => state === 'READY') : entries)
  }

function describe(serving: ServingSet, wanted: WantedVersion) {
  const { status, failure } = serving.statusOf(wanted)
  const state = status === 'ready' ? 'READY' : status === 'failed' ? 'UNAVAILABLE' : 'LOADING'
  return { name: wanted.model, version: wanted.version, state, reason: failure ? `${failure.stage}: ${failure.message}` : '' }
}

/** POST /v2/repository/models/M/load: takes over what the registry wants served now, and answers once it is loaded. */
export const createRepositoryLoad = ({ serving, reconcile, maxBodyBytes }: RepositoryDeps) =>
  async function repositoryLoad(exchange: Exchange): Promise<Reply> {
    const { parameters } = await optionalBody(exchange, maxBodyBytes)
    const names = isObject(parameters) ? Object.keys(parameters) : []
    if (names.some((name) => name === 'config' || name.startsWith('file:'))) {
      throw new AppError('BAD_REQUEST', 'config and file: are not offered: register the version, then promote it.')
    }
    await reconcile(exchange.signal)
    const { model } = findModel(serving, exchange.params.model)
    await settled(serving, model, exchange)
    return { status: 200, headers: {}, body: '' }
  }

async function settled(serving: ServingSet, model: string, { deadlineMs, signal }: Exchange): Promise<void> {
  for (;;) {
    const described = wantedBy(findModel(serving, model).state).map((wanted) => describe(serving, wanted))
    const failed = described.find(({ state }) => state === 'UNAVAILABLE')
    if (failed) throw new AppError('TEMPORARILY_UNAVAILABLE', `Version '${failed.version}' of '${model}' could not be loaded (${failed.reason}).`)
    if (described.every(({ state }) => state === 'READY')) return
    if (performance.now() >= deadlineMs) throw notReady(`The model '${model}' is still being loaded: try again in a second.`)
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** POST /v2/repository/models/M/unload */
export const createRepositoryUnload = ({ serving, maxBodyBytes }: RepositoryDeps) =>
  async function repositoryUnload(exchange: Exchange): Promise<Reply> {
    await readBody(exchange.request, { maxBytes: maxBodyBytes, deadlineMs: exchange.deadlineMs })
    const { model } = findModel(serving, exchange.params.model)
    throw new AppError('NOT_IMPLEMENTED', `What is served is decided by the registry: archive the Production version of '${model}', or promote another one.`)
  }

/** Named repositories: there is one, without a name. */
export async function namedRepository(): Promise<Reply> {
  throw new AppError('NOT_IMPLEMENTED', 'There are no named repositories: use /v2/repository/index and /v2/repository/models.')
}
