import { auditEntries } from '@millrace/contracts/http/gateway.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { listEntries } from '../audit/audit-store.ts'
import type { LocalRoute } from './local-request.ts'
import { sendJson } from './send.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** GET /api/v1/calls: administrative calls, newest first; `before` takes up where the last page ended. */
export const callsRoute = (database: Database): LocalRoute => ({
  method: 'GET',
  path: '/api/v1/calls',
  access: 'admin',
  async handle({ request, response, requestId }) {
    const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
    const limit = numberIn(query, 'limit', MAX_LIMIT) ?? DEFAULT_LIMIT
    const entries = await listEntries(database, { limit, before: numberIn(query, 'before', Number.MAX_SAFE_INTEGER) })
    const shown = entries.map((entry) => ({ ...entry, at: entry.at.toISOString() }))
    sendJson(response, 200, auditEntries.parse({ entries: shown, next: entries.length === limit ? (entries.at(-1)?.position ?? null) : null }), requestId)
  },
})

function numberIn(query: URLSearchParams, name: string, most: number): number | null {
  const text = query.get(name)
  if (text === null) return null
  const value = /^\d{1,16}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  throw new AppError('INVALID_PARAMETER_VALUE', `The query parameter '${name}' must be a number from 1 to ${most}, not ${JSON.stringify(text.slice(0, 40))}.`)
}
