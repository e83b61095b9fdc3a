import type { LocalRoute } from './local-request.ts'
import { sendJson } from './send.ts'

/** GET /api/v1/openapi.json, made once; nothing where the host cannot describe the services. */
export function openApiRoute(describeApi: (() => object) | undefined): LocalRoute[] {
  if (!describeApi) return []
  let document: object | null = null
  return [
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      access: 'read',
      async handle({ response, requestId }) {
        document ??= describeApi()
        sendJson(response, 200, document, requestId)
      },
    },
  ]
}
