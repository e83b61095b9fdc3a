import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import {
  createDeleteArtifact,
  createDownloadArtifact,
  createDownloadRunArtifact,
  createListArtifacts,
  createListRunArtifacts,
} from '../artifacts/read-artifact.ts'
import { createUploadArtifact } from '../artifacts/upload-artifact.ts'
import { createUploadRunArtifact } from '../artifacts/upload-run-artifact.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import { invalid } from '../refusals.ts'
import type { ListedFile } from '../store/artifacts.ts'
import { downloadResponse } from './download-response.ts'
import { requireRunId } from './run-reference.ts'
import { optionalText, runReference, text } from './wire.ts'

const read = { errors: 'mlflow', method: 'GET', access: 'read' } as const
const pathParam = z.object({ path: z.string() })

const fileJson = (path: string, file: ListedFile) => ({ path, is_dir: file.isDirectory, ...(file.sizeBytes === null ? {} : { file_size: file.sizeBytes }) })
const filesJson = (files: readonly unknown[]) => (files.length > 0 ? { files } : {})

/** The artifacts of a run, by paths relative to its root. */
export function runArtifactRoutes(deps: TrackingParts): Route[] {
  const listRunArtifacts = createListRunArtifacts(deps)
  return [
    route({
      ...read,
      path: '/artifacts/list',
      summary: 'What lies in a folder of a run.',
      query: z.looseObject({ ...runReference, path: optionalText, page_token: optionalText }),
      handle: async ({ query }) => {
        const { root, files, nextPageToken } = await listRunArtifacts(requireRunId(query), query.path ?? '', query.page_token ?? '')
        const next = nextPageToken === null ? {} : { next_page_token: nextPageToken }
        return ok({ root_uri: root, ...filesJson(files.map(({ path, file }) => fileJson(path, file))), ...next })
      },
    }),
    uploadRunArtifactRoute(deps),
  ]
}

function uploadRunArtifactRoute(deps: TrackingDeps): Route {
  const upload = createUploadRunArtifact(deps)
  return route({
    ...read,
    method: 'POST',
    access: 'write',
    path: '/upload-artifact',
    summary: 'Uploads a file of at most 10 MiB to a run.',
    rawBody: true,
    query: z.looseObject({ ...runReference, path: optionalText }),
    handle: async ({ query, stream, signal }) => {
      if (!query.run_uuid && !query.run_id) throw invalid('Request must specify run_uuid.')
      if (!query.path) throw invalid('Request must specify path.')
      await upload({ runId: requireRunId(query), path: query.path, content: stream, signal })
      return ok({})
    },
  })
}

export function downloadRoutes(deps: TrackingParts): Route[] {
  const download = createDownloadRunArtifact(deps)
  return [
    route({
      ...read,
      path: '/get-artifact',
      summary: 'Downloads a file of a run.',
      query: z.looseObject({ ...runReference, path: text }),
      handle: async ({ query }) => downloadResponse(await download(requireRunId(query), query.path)),
    }),
  ]
}

/** Artifacts by their path in the store: clients put and get them here. */
export function proxyRoutes(deps: TrackingParts): Route[] {
  const list = createListArtifacts(deps)
  const download = createDownloadArtifact(deps)
  const remove = createDeleteArtifact(deps)
  const path = '/artifacts/*path'
  return [
    route({
      ...read,
      path: '/artifacts',
      summary: 'What lies in a folder of the store.',
      query: z.looseObject({ path: optionalText }),
      handle: async ({ query }) => ok(filesJson((await list(query.path ?? '')).map((file) => fileJson(file.name, file)))),
    }),
    route({ ...read, path, summary: 'Downloads a file.', params: pathParam, handle: async ({ params }) => downloadResponse(await download(params.path)) }),
    uploadRoute(deps, path),
    route({
      ...read,
      method: 'DELETE',
      access: 'write',
      path,
      summary: 'Removes a file or a folder.',
      params: pathParam,
      handle: async ({ params }) => {
        await remove(params.path)
        return ok({})
      },
    }),
  ]
}

function uploadRoute(deps: TrackingDeps, path: string): Route {
  const upload = createUploadArtifact(deps)
  return route({
    ...read,
    method: 'PUT',
    access: 'write',
    path,
    summary: 'Uploads a file of any size; the body may be chunked.',
    rawBody: true,
    params: pathParam,
    handle: async ({ params, headers, stream, signal }) => {
      const length = headers['content-length']
      await upload({ path: params.path, content: stream, announcedBytes: length === undefined ? null : Number(length), signal })
      return ok({})
    },
  })
}
