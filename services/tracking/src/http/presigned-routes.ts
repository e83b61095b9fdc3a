import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { createSignDownload } from '../artifacts/read-artifact.ts'
import { requireModelPath, requireRunPath } from '../artifacts/upload-run-artifact.ts'
import type { TrackingParts } from '../deps.ts'
import { invalid } from '../refusals.ts'
import { checkExpiration, createBeginObject } from '../uploads/begin-upload.ts'
import { publicBase } from './public-base.ts'
import { requireRunId } from './run-reference.ts'
import { optionalInteger, optionalText, text } from './wire.ts'

const DEFAULT_UPLOAD_SECONDS = 900
const DEFAULT_DOWNLOAD_SECONDS = 300

/** Addresses by path in the store. */
export function presignedRoutes(deps: TrackingParts): Route[] {
  const sign = createSignDownload(deps)
  return [
    route({
      errors: 'mlflow',
      method: 'GET',
      access: 'read',
      path: '/presigned/*path',
      summary: 'An address in the store under which a file is fetched, for five minutes.',
      params: z.object({ path: z.string() }),
      handle: async ({ params }) => {
        const { url, sizeBytes } = await sign(params.path)
        return ok({ url, headers: {}, file_size: sizeBytes })
      },
    }),
  ]
}

/** Addresses by path in a run or logged model. */
export function presignedRunRoutes(deps: TrackingParts): Route[] {
  return [uploadRoute(deps), downloadRoute(deps)]
}

const post = { errors: 'mlflow', method: 'POST' } as const
const request = { path: text, expiration: optionalInteger }

function uploadRoute(deps: TrackingParts): Route {
  const begin = createBeginObject(deps)
  return route({
    ...post,
    access: 'write',
    path: '/artifacts/presigned-upload-url',
    summary: 'An address that takes one file of a run or logged model by PUT until it expires.',
    body: z.looseObject({ run_id: optionalText, model_id: optionalText, ...request }),
    handle: async ({ body, headers }) => {
      if (Boolean(body.run_id) === Boolean(body.model_id)) throw invalid('Exactly one of run_id and model_id must be provided.')
      const path = body.model_id ? await requireModelPath(deps, body.model_id, body.path) : await requireRunPath(deps, requireRunId(body), body.path)
      const base = publicBase(deps.config.TRACKING_PUBLIC_URL, headers)
      const address = await begin({ path, expiresSeconds: body.expiration ?? DEFAULT_UPLOAD_SECONDS, base })
      return ok({ presigned_url: address.url, headers: address.headers })
    },
  })
}

function downloadRoute(deps: TrackingParts): Route {
  const sign = createSignDownload(deps)
  return route({
    ...post,
    access: 'read',
    path: '/artifacts/presigned-download-url',
    summary: 'An address in the store under which a file of a run is fetched until it expires.',
    body: z.looseObject({ run_id: text, ...request }),
    handle: async ({ body }) => {
      const expiresSeconds = body.expiration ?? DEFAULT_DOWNLOAD_SECONDS
      checkExpiration(expiresSeconds)
      const { url, sizeBytes } = await sign(await requireRunPath(deps, requireRunId(body), body.path), expiresSeconds)
      return ok({ presigned_url: url, headers: {}, file_size: sizeBytes })
    },
  })
}
