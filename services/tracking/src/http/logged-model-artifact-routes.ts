import { AppError } from '@millrace/platform/errors.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { listPlace } from '../artifacts/list-place.ts'
import { requirePath } from '../artifacts/paths.ts'
import { below, requirePlace } from '../artifacts/place.ts'
import { createDownloadModelArtifact } from '../artifacts/read-artifact.ts'
import type { TrackingParts } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { readLoggedModel } from '../models/change-logged-model.ts'
import { downloadResponse } from './download-response.ts'
import { optionalText, text } from './wire.ts'

const mlflow = { errors: 'mlflow', access: 'read' } as const

/** The files of a logged model, by paths relative to its root. */
export function loggedModelArtifactRoutes(deps: TrackingParts): Route[] {
  const download = createDownloadModelArtifact(deps)
  return [
    directoryRoute(deps),
    route({
      ...mlflow,
      method: 'GET',
      path: '/logged-models/:model_id/artifacts/files',
      summary: 'Downloads a file of a logged model.',
      params: z.object({ model_id: text }),
      query: z.looseObject({ artifact_file_path: optionalText }),
      handle: async ({ params, query }) => {
        const path = query.artifact_file_path
        if (!path) throw new AppError('BAD_REQUEST', 'Request must include the "artifact_file_path" query parameter.')
        return downloadResponse(await download(params.model_id, path))
      },
    }),
  ]
}

const directoryRoute = (deps: TrackingParts): Route =>
  route({
    ...mlflow,
    method: 'GET',
    path: '/logged-models/:model_id/artifacts/directories',
    summary: 'What lies in a folder of a logged model.',
    params: z.object({ model_id: text }),
    query: z.looseObject({ artifact_directory_path: optionalText, page_token: optionalText }),
    handle: async ({ params, query }) => {
      const directory = requirePath(query.artifact_directory_path ?? '')
      const model = await readLoggedModel(deps.database, params.model_id)
      const place = below(requirePlace(deps, model.artifactUri), directory)
      const { files, nextPageToken } = await listPlace(deps, place, query.page_token ?? '')
      const listed = files.map((file) => ({
        path: joinPath(directory, file.name),
        is_dir: file.isDirectory,
        ...(file.sizeBytes === null ? {} : { file_size: file.sizeBytes }),
      }))
      return ok({
        root_uri: model.artifactUri,
        ...(listed.length > 0 ? { files: listed } : {}),
        ...(nextPageToken === null ? {} : { next_page_token: nextPageToken }),
      })
    },
  })
