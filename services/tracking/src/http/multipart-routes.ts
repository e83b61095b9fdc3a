import { ok, type Route, type RouteRequest, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { requireFilePath, requirePath } from '../artifacts/paths.ts'
import type { TrackingParts } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { createBeginParts } from '../uploads/begin-upload.ts'
import { createAbortUpload, createCompleteUpload } from '../uploads/complete-upload.ts'
import { createReceivePart } from '../uploads/receive-part.ts'
import { TOKEN_HEADER } from '../uploads/token.ts'
import { publicBase } from './public-base.ts'
import { integer, listOf, optionalInteger, text } from './wire.ts'

const write = { errors: 'mlflow', method: 'POST', access: 'write' } as const
const folder = z.object({ path: z.string() })

/** Ten thousand parts with their addresses. */
const MAX_COMPLETE_BYTES = 16 * 1024 * 1024

/** The route names the folder; the body names the file by its path on the client's disk, of which only the last part counts. */
function targetOf(params: { path: string }, body: { path: string }): string {
  const name = body.path.slice(Math.max(body.path.lastIndexOf('/'), body.path.lastIndexOf('\\')) + 1)
  return joinPath(requirePath(params.path), requireFilePath(name))
}

/** Large files in parts: clients ask where to send them, send them there, and say so. */
export function multipartRoutes(deps: TrackingParts): Route[] {
  return [createRoute(deps), ...endRoutes(deps), partRoute(deps)]
}

function createRoute(deps: TrackingParts): Route {
  const begin = createBeginParts(deps)
  return route({
    ...write,
    path: '/mpu/create/*path',
    summary: 'Begins an upload in parts: where each of them goes.',
    params: folder,
    body: z.looseObject({ path: text, num_parts: optionalInteger }),
    handle: async ({ params, body, headers }) => {
      const base = publicBase(deps.config.TRACKING_PUBLIC_URL, headers)
      const { uploadId, parts } = await begin({ path: targetOf(params, body), count: body.num_parts ?? 1, base })
      return ok({ upload_id: uploadId, credentials: parts.map((part, index) => ({ url: part.url, part_number: index + 1, headers: part.headers })) })
    },
  })
}

function endRoutes(deps: TrackingParts): Route[] {
  const complete = createCompleteUpload(deps)
  const abort = createAbortUpload(deps)
  const part = z.looseObject({ part_number: integer, etag: z.string() })
  return [
    route({
      ...write,
      path: '/mpu/complete/*path',
      summary: 'Puts the parts of an upload together; again is fine.',
      params: folder,
      maxBodyBytes: MAX_COMPLETE_BYTES,
      body: z.looseObject({ path: text, upload_id: text, parts: listOf(part) }),
      handle: async ({ params, body }) => {
        const parts = body.parts.map(({ part_number, etag }) => ({ partNumber: part_number, etag }))
        await complete({ uploadId: body.upload_id, path: targetOf(params, body), parts })
        return ok({})
      },
    }),
    route({
      ...write,
      path: '/mpu/abort/*path',
      summary: 'Gives an upload in parts up.',
      params: folder,
      body: z.looseObject({ path: text, upload_id: text }),
      handle: async ({ params, body }) => {
        await abort({ uploadId: body.upload_id, path: targetOf(params, body) })
        return ok({})
      },
    }),
  ]
}

function partRoute(deps: TrackingParts): Route {
  const receive = createReceivePart(deps)
  const params = z.object({ upload_id: text, part_number: integer })
  const handle = async ({ params: { upload_id, part_number }, headers, stream, signal }: RouteRequest<z.infer<typeof params>, unknown, unknown>) => {
    const length = headers['content-length']
    const announcedBytes = length === undefined ? null : Number(length)
    const sent = { uploadId: upload_id, partNumber: part_number, token: String(headers[TOKEN_HEADER] ?? ''), content: stream, announcedBytes, signal }
    return ok({}, { etag: `"${await receive(sent)}"` })
  }
  const summary = 'Takes the bytes of a part, or of one file, from whoever holds the token that came with the address.'
  return route({ ...write, method: 'PUT', access: 'public', path: '/uploads/:upload_id/:part_number', summary, rawBody: true, params, handle })
}
