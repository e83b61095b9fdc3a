import { servedModelDetail, servedModels } from '@millrace/contracts/http/inference.ts'
import { LISTING, onModel } from '@millrace/platform/access/permission.ts'
import { mayOn } from '@millrace/platform/access/rights.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { ok, type RouteResponse } from '@millrace/platform/http/route.ts'
import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import type { Caller } from '../access/authenticate.ts'
import { jsonRoute } from './json-route.ts'
import type { LocalRoute } from './local-request.ts'

export interface ServingModelsDeps {
  readonly pods: () => readonly string[]
  readonly identity: ServiceIdentity
  readonly dispatcher: Dispatcher
}

const PATH = '/api/v1/serving/models'
const ASK_TIMEOUT_MS = 2000
const NOT_FOUND = 404

const mayRead = (caller: Caller, model: string): boolean => mayOn({ ...caller, service: 'gateway' }, 'READ', { kind: 'model', name: model })

/** What is loaded where: each pod is asked, and those that do not answer are counted. */
export function servingModelRoutes(deps: ServingModelsDeps): LocalRoute[] {
  const base = { method: 'GET', access: 'read', permission: onModel('READ', LISTING), input: z.looseObject({}) } as const
  return [
    jsonRoute({ ...base, path: PATH, handle: (_query, { caller }) => listModels(deps, caller) }),
    jsonRoute({ ...base, path: `${PATH}/`, handle: (_query, { caller, last }) => describeModel(deps, caller, last) }),
  ]
}

async function listModels(deps: ServingModelsDeps, caller: Caller): Promise<RouteResponse> {
  const { told, silent } = await askPods(deps, PATH, servedModels)
  const pods = told.map(({ pod, models }) => ({ pod, models: models.filter(({ model }) => mayRead(caller, model)) }))
  const [first] = pods
  if (!first) throw new TransientError('no inference pod answers')
  return ok({ ...first, pods, silentPods: silent })
}

async function describeModel(deps: ServingModelsDeps, caller: Caller, model: string): Promise<RouteResponse> {
  const { told, silent, refused } = mayRead(caller, model)
    ? await askPods(deps, `${PATH}/${encodeURIComponent(model)}`, servedModelDetail)
    : { told: [], silent: 0, refused: 1 }
  // A pod that has heard of a newer promotion knows the model best.
  const [newest] = told.toSorted((left, right) => right.generation - left.generation)
  if (newest) {
    const pods = told.map(({ pod, generation, versions }) => ({ pod, generation, versions }))
    return ok({ ...newest, pods, silentPods: silent })
  }
  if (refused > 0) throw new AppError('RESOURCE_DOES_NOT_EXIST', `No pod serves a model named '${model}'.`)
  throw new TransientError('no inference pod answers')
}

interface Asked<Told> {
  /** By name of the pod. */
  readonly told: readonly Told[]
  /** Pods that gave no answer. */
  readonly silent: number
  /** Pods that do not have it. */
  readonly refused: number
}

async function askPods<Schema extends z.ZodType<{ pod: string }>>(deps: ServingModelsDeps, path: string, schema: Schema): Promise<Asked<z.infer<Schema>>> {
  const headers = { authorization: `Bearer ${await deps.identity.sign('inference')}` }
  const answers = await Promise.all(
    deps.pods().map(async (origin) => {
      try {
        const answer = await request(new URL(path, origin), { dispatcher: deps.dispatcher, headers, signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
        const body: unknown = await answer.body.json()
        return answer.statusCode === NOT_FOUND ? 'refused' : schema.parse(body)
      } catch {
        return 'silent'
      }
    }),
  )
  const told = answers.filter((answer) => typeof answer !== 'string').toSorted((left, right) => (left.pod < right.pod ? -1 : 1))
  const count = (what: string): number => answers.filter((answer) => answer === what).length
  return { told, silent: count('silent'), refused: count('refused') }
}
