import { createHash } from 'node:crypto'
import { servingSnapshot } from '@millrace/contracts/http/registry.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { visibleOf } from '../access/visible-models.ts'
import { readGenerations, readStates } from '../store/serving.ts'

/** The snapshot that pods start from and poll. The tag names the generations, so that an unchanged world costs one small query and no body. */
export const createServingStateRoute = (database: Database): Route =>
  route({
    method: 'GET',
    path: '/api/v1/serving-state',
    access: 'read',
    summary: 'What pods are to serve, of every model that ever served; `if-none-match` answers 304 where nothing changed.',
    response: servingSnapshot,
    handle: async (request) => {
      const etag = tagOf(await readGenerations(database))
      const headers = { etag, 'cache-control': 'no-cache' }
      if (matches(request.headers['if-none-match'], etag)) return { status: 304, headers }
      const states = await readStates(database)
      return ok({ states: await visibleOf(database, request.caller, states, ({ model }) => model) }, { ...headers, etag: tagOf(states) })
    },
  })

function tagOf(states: readonly { model: string; generation: number }[]): string {
  const hash = createHash('sha256')
  const sorted = [...states].sort((a, b) => (a.model < b.model ? -1 : 1))
  for (const { model, generation } of sorted) hash.update(JSON.stringify([model, generation]))
  return `"${hash.digest('base64url')}"`
}

/** A weak tag is as good here: RFC 9110, 13.1.2. */
const matches = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((candidate) => candidate.trim() === '*' || candidate.trim().replace(/^W\//, '') === etag)
