import { ownersResponse } from '@millrace/contracts/http/access.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { listOwners } from './store.ts'

/** More than anybody makes by hand; older ones need a grant. */
const MAX_OWNED = 20_000

/** For the gateway, which decides on predictions without asking. */
export const createOwnersRoute = (database: Database): Route =>
  route({
    method: 'GET',
    path: '/api/v1/owners',
    access: 'internal',
    summary: 'Who made which model, newest first.',
    response: ownersResponse,
    handle: async () => ok({ owned: await listOwners(database, MAX_OWNED) }),
  })
