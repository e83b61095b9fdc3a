import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LocalRoute } from './local-request.ts'
import { send } from './send.ts'

const FILES = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/console.js': { file: 'console.js', type: 'text/javascript; charset=utf-8' },
  '/dom.js': { file: 'dom.js', type: 'text/javascript; charset=utf-8' },
  '/pages.js': { file: 'pages.js', type: 'text/javascript; charset=utf-8' },
  '/console.css': { file: 'console.css', type: 'text/css; charset=utf-8' },
  '/favicon.svg': { file: 'favicon.svg', type: 'image/svg+xml' },
} as const

/** Everything from here alone; the picture that is looked at is a blob of the page's own. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page and its parts, read once. They hold no data: whoever may not ask the API sees an empty page. */
export function pageRoutes(directory: URL): LocalRoute[] {
  return Object.entries(FILES).map(([path, { file, type }]) => {
    const body = readFileSync(new URL(file, directory))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
    const headers = { 'content-type': type, 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache', etag }
    return {
      method: 'GET',
      path,
      access: 'public',
      async handle({ request, response, requestId }) {
        const known = request.headers['if-none-match'] === etag
        send(response, known ? { status: 304, headers } : { status: 200, headers, body }, requestId)
      },
    }
  })
}
