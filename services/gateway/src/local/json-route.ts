import type { Permission } from '@millrace/platform/access/permission.ts'
import type { Access } from '@millrace/platform/http/identity.ts'
import { parseInput } from '@millrace/platform/http/invalid-input.ts'
import { readJsonBody } from '@millrace/platform/http/read-body.ts'
import { parseQuery } from '@millrace/platform/http/request-input.ts'
import { type ErrorDialect, ok, type RouteResponse, route } from '@millrace/platform/http/route.ts'
import type { z } from 'zod'
import type { Caller } from '../access/authenticate.ts'
import type { LocalRequest, LocalRoute } from './local-request.ts'
import { send, sendJson } from './send.ts'

interface JsonRouteOptions<Input extends z.ZodType> {
  readonly method: LocalRoute['method']
  readonly path: string
  readonly access: Access
  readonly permission: Permission
  readonly errors?: ErrorDialect
  /** The query of a GET, the body of anything else; an object without either where it is left out. */
  readonly input: Input
  /** `last`: the segment after a path that ends with `/`. */
  readonly handle: (input: z.infer<Input>, by: { caller: Caller; requestId: string; last: string }) => Promise<RouteResponse>
}

const BODY_TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 131_072

/** A route of the gateway's own that takes and gives JSON, read in the way in which the services read theirs. */
export function jsonRoute<Input extends z.ZodType>(options: JsonRouteOptions<Input>): LocalRoute {
  const { method, path, access, permission, errors = 'problem', input } = options
  const shape = route({ method, path, access, permission, errors, summary: path, body: input, maxBodyBytes: MAX_BODY_BYTES, handle: async () => ok({}) })
  return {
    ...{ method, path, access, permission },
    async handle(local) {
      const { request, response, caller, requestId } = local
      const given = method === 'GET' ? parseQuery(request.url ?? '') : await readJsonBody(request, shape, BODY_TIMEOUT_MS)
      const parsed = input.parse(parseInput(input, given, errors, method === 'GET' ? 'query' : 'body'))
      const { status, body } = await options.handle(parsed, { caller, requestId, last: lastSegment(local, path) })
      if (body === undefined) send(response, { status }, requestId)
      else sendJson(response, status, body, requestId)
    },
  }
}

function lastSegment({ path }: LocalRequest, prefix: string): string {
  try {
    return decodeURIComponent(path.slice(prefix.length))
  } catch {
    return path.slice(prefix.length)
  }
}
