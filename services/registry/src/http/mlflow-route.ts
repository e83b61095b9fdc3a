import type { Access } from '@millrace/platform/http/identity.ts'
import { type Method, type Route, type RouteRequest, type RouteResponse, route } from '@millrace/platform/http/route.ts'
import type { z } from 'zod'
import { PREFIXES } from './prefixes.ts'

interface Endpoint<Input> {
  readonly method: Method
  /** Below the prefix, such as `registered-models/get`. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  /** The query of a GET, the body of anything else: MLflow's DELETE carries one. */
  readonly input: z.ZodType<Input>
  readonly handle: (
    input: Input,
    request: Pick<RouteRequest<unknown, unknown, unknown>, 'caller' | 'requestId' | 'headers' | 'signal'>,
  ) => Promise<RouteResponse>
}

/** One endpoint of MLflow's REST API under the prefix of its clients and under that of its web pages. */
export function mlflowRoute<Input>(endpoint: Endpoint<Input>): Route[] {
  const { method, access, summary, input, handle } = endpoint
  return PREFIXES.map((prefix) => {
    const shared = { method, access, summary, path: `${prefix}/${endpoint.path}`, errors: 'mlflow' as const }
    if (method === 'GET') return route({ ...shared, query: input, handle: (request) => handle(request.query, request) })
    return route({ ...shared, body: input, handle: (request) => handle(request.body, request) })
  })
}
