import { ownersResponse, sourceRequest, sourceResponse } from '@millrace/contracts/http/access.ts'
import type { Resource } from '@millrace/platform/access/rights.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { parseArtifactSource } from '../domain/artifact-source.ts'
import { experimentsOfPath } from './locators.ts'
import { experimentsOfModels, experimentsOfRuns, listOwners } from './store.ts'

/** More than anybody makes by hand; older ones need a grant. */
const MAX_OWNED = 20_000

/** For siblings that decide on a user's rights: who made what, and whose a source is. */
export const accessRoutes = (database: Database): Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/owners',
    access: 'internal',
    summary: 'Who made which experiment, newest first.',
    response: ownersResponse,
    handle: async () => ok({ owned: await listOwners(database, MAX_OWNED) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/sources',
    access: 'internal',
    summary: 'The experiments that a source or a run belongs to.',
    body: sourceRequest,
    response: sourceResponse,
    handle: async ({ body }) => {
      const found = [...(await experimentsOfSource(database, body.source)), ...(body.runId ? await experimentsOfRuns(database, [body.runId]) : [])]
      return ok({ experiments: found.map(({ id = '', name, owner = null }) => ({ id, name, owner })) })
    },
  }),
]

async function experimentsOfSource(database: Database, text: string): Promise<readonly Resource[]> {
  const source = parseArtifactSource(text)
  if (source?.kind === 'run') return experimentsOfRuns(database, [source.runId])
  if (source?.kind === 'logged-model') return experimentsOfModels(database, [source.modelId])
  return source?.kind === 'path' ? experimentsOfPath(database, source.path) : []
}
