import type { Service } from '../service.ts'
import { describePaths } from './openapi.ts'
import { ok, type Route, route } from './route.ts'

/** GET /api-description: the service's routes as OpenAPI path items, for the gateway, which describes all services in one document. */
export function createDescription(service: Pick<Service, 'name' | 'routes'>): Route {
  return route({
    method: 'GET',
    path: '/api-description',
    access: 'internal',
    summary: 'The routes of this service as OpenAPI path items',
    handle: async () => ok({ paths: describePaths(service) }),
  })
}
