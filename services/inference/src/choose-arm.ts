import { createHash } from 'node:crypto'
import { AppError } from '@millrace/platform/errors.ts'
import { wantedBy, wantsAny } from './domain/serving-plan.ts'
import { bucketOf, bucketText, ownerOf, splitsTraffic } from './domain/split.ts'
import { type ServedArm, type ServedModel, servedArms } from './served-model.ts'
import type { ServingSet } from './serving-set.ts'

/** The arm that answers, and how it is called in the answer. */
export interface ChosenArm extends ServedArm {
  /** `production`, `canary`, `ab`, or `pinned` where the caller named the version or label. */
  readonly name: string
  /** Whether the split chose a candidate: should it fail, Production answers. */
  readonly bySplit: boolean
  /** The candidate that owns the request's bucket and is not loaded here. */
  readonly notLoaded: boolean
}

export interface ArmWish {
  readonly version: string | null
  readonly label: string | null
  /** What the split is sticky to. */
  readonly routingKey: string
}

const notFound = (message: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', message)
export const notReady = (message: string): AppError =>
  new AppError('TEMPORARILY_UNAVAILABLE', message, { details: { reason: 'not_ready', retryAfterSeconds: 1 } })

/** The model that a request means; its name may be left out where only one is served. @throws AppError */
export function findModel(serving: ServingSet, name: string | null): ServedModel {
  if (name !== null) {
    const served = serving.get(name)
    if (served && wantsAny(served.state)) return served
    throw notFound(`There is no model '${name.slice(0, 100)}' in service: ${namesOf(serving)}.`)
  }
  const [only, ...others] = servedModels(serving)
  if (!only) throw notReady('No model is in service yet: promote a version to Production, then try again.')
  if (others.length === 0) return only
  throw new AppError('BAD_REQUEST', `Several models are in service, so the request must name one (?model=...): ${namesOf(serving)}.`)
}

/** Models that have something to serve. */
export const servedModels = (serving: ServingSet): ServedModel[] => serving.all().filter(({ state }) => wantsAny(state))

function namesOf(serving: ServingSet): string {
  const names = servedModels(serving).map(({ model }) => `'${model}'`)
  return names.length > 0 ? `in service are ${names.join(', ')}` : 'none is in service yet'
}

/** Whether a request may need a version: what it names, or else whatever shares the traffic. */
export const mayNeed =
  ({ version, label }: ArmWish) =>
  (wanted: { version: string; arm: string }): boolean => {
    if (version === null && label === null) return wanted.arm === 'production'
    return (version === null || wanted.version === version) && (label === null || wanted.arm === label)
  }

/** The arm for a request: the version or label it names, else the one that owns its bucket. @throws AppError 404 or 503 */
export function chooseArm(served: ServedModel, wish: ArmWish): ChosenArm {
  if (wish.version !== null || wish.label !== null) return { ...pinnedArm(served, wish), name: 'pinned', bySplit: false, notLoaded: false }
  const bucket = splitsTraffic(served.state.candidates) ? bucketOfRequest(served, wish.routingKey) : null
  const owner = bucket === null ? null : ownerOf(bucket, served.candidates.map(toSplit))
  if (owner) return { ...owner.served, name: owner.mode, bySplit: true, notLoaded: false }
  if (!served.production) throw withoutProduction(served)
  const meant = bucket === null ? null : ownerOf(bucket, served.state.candidates)
  return { ...served.production, name: 'production', bySplit: false, notLoaded: meant !== null }
}

const toSplit = (served: ServedArm) => ({ mode: served.arm.arm, weightPercent: served.arm.weightPercent, served })

const bucketOfRequest = ({ model, salt }: ServedModel, routingKey: string): number =>
  bucketOf(
    createHash('sha256')
      .update(bucketText(model, salt, routingKey))
      .digest()
      .readUIntBE(0, 6),
  )

function pinnedArm(served: ServedModel, { version, label }: ArmWish): ServedArm {
  const found = servedArms(served).find(({ arm }) => (version === null || arm.version === version) && (label === null || arm.arm === label))
  if (found) return found
  const wanted = wantedBy(served.state)
  const meant = wanted.some((item) => (version === null || item.version === version) && (label === null || item.arm === label))
  const what = version === null ? `label '${String(label).slice(0, 100)}'` : `version '${version.slice(0, 100)}'`
  if (meant) throw notReady(`The ${what} of '${served.model}' is not loaded here yet: try again in a second.`)
  const offered = wanted.map((item) => `${item.version} (${item.arm})`).join(', ')
  throw notFound(`The model '${served.model}' has no ${what} in service: ${offered}.`)
}

function withoutProduction(served: ServedModel): AppError {
  if (served.state.production) return notReady(`The model '${served.model}' is not loaded here yet: try again in a second.`)
  return notFound(`The model '${served.model}' has no Production version: name a version, or promote one.`)
}
