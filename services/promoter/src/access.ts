import type { PermissionTable } from '@millrace/platform/access/map-permissions.ts'
import { type Locators, onModel } from '@millrace/platform/access/permission.ts'
import { mayEverywhere, mayOn } from '@millrace/platform/access/rights.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import { decisionModels, findDecision } from './store.ts'

const BASE = '/api/v1/promotions'

export const permissions: PermissionTable = {
  [`GET ${BASE}/policies/:model`]: onModel('READ', 'model'),
  [`PUT ${BASE}/policies/:model`]: onModel('PROMOTE', 'model'),
  [`GET ${BASE}/decisions`]: onModel('READ', 'listing'),
  [`GET ${BASE}/decisions/:id`]: onModel('READ', 'decision'),
  [`POST ${BASE}/decisions/:id/approve`]: onModel('PROMOTE', 'decision'),
  [`POST ${BASE}/decisions/:id/reject`]: onModel('PROMOTE', 'decision'),
  [`GET ${BASE}/models/:model/versions/:version/standing`]: onModel('READ', 'model'),
}

const modelParams = z.looseObject({ model: z.string() })
const idParams = z.object({ id: z.string() })

/** How the promoter finds the model that a request is about. */
export const createLocators = (database: Database): Locators => ({
  model: async ({ params }) => [{ kind: 'model', name: modelParams.parse(params).model }],
  decision: async ({ params }) => {
    const found = await findDecision(database, idParams.parse(params).id)
    return found ? [{ kind: 'model', name: found.decision.model }] : []
  },
})

/** Models with decisions that a caller may read; null where that is all of them. */
export async function visibleModels(database: Database, caller: Caller): Promise<readonly string[] | null> {
  if (mayEverywhere(caller, 'READ')) return null
  return (await decisionModels(database)).filter((name) => mayOn(caller, 'READ', { kind: 'model', name }))
}
