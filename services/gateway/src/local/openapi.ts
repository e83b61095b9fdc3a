import type { Describe } from '../describe/describe.ts'
import { renderPage } from '../describe/render-page.ts'
import type { LocalRequest, LocalRoute } from './local-request.ts'
import { send, sendJson } from './send.ts'

/** The page loads nothing, runs nothing and sends nothing. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** GET /api/v1/openapi.json and the same for people, /api/v1/docs. Nothing in them is a secret, and they tell how to get in: anybody may read them. */
export function openApiRoutes(describe: Describe): LocalRoute[] {
  const page = async ({ response, requestId }: LocalRequest): Promise<void> => {
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY }
    send(response, { status: 200, headers, body: renderPage(await describe()) }, requestId)
  }
  return [
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      access: 'public',
      handle: async ({ response, requestId }) => sendJson(response, 200, await describe(), requestId),
    },
    { method: 'GET', path: '/api/v1/docs', access: 'public', handle: page },
  ]
}
