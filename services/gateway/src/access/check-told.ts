import { requireOn } from '@millrace/platform/access/permission.ts'
import { mayEverywhere, mayOn, type Need, type Resource } from '@millrace/platform/access/rights.ts'
import type { Caller as ServiceCaller } from '@millrace/platform/http/identity.ts'
import type { Target } from '../domain/route-table.ts'
import { type Told, toldResource } from '../domain/told-resource.ts'
import type { Caller } from './authenticate.ts'
import type { Owners } from './owners.ts'

export interface Asked {
  readonly target: Target
  readonly method: string
  /** Canonical, without its query. */
  readonly path: string
  readonly query: string
}

/**
 * Refuses what path and query alone show to be beyond a caller's rights; the service looks at the rest, and at this again. Who made what may be older here than there,
 * so that it is asked anew before a refusal; for predictions it is not, since nothing may hold them up.
 * @throws AppError PERMISSION_DENIED
 */
export const createCheckTold = (owners: Owners) =>
  async function checkTold(caller: Caller, asked: Asked): Promise<void> {
    const needs = needOf(asked)
    const who: ServiceCaller = { ...caller, service: 'gateway' }
    if (asked.target.open || mayEverywhere(who, needs)) return
    const told = toldResource(asked.path, asked.query)
    if (!told || mayOn(who, needs, resourceOf(owners, told))) return
    if (asked.target.upstream !== 'inference') await owners.refresh()
    const resource = resourceOf(owners, told)
    // An experiment that nobody is known to have made is known by its id alone: a grant may name it.
    if (resource.kind === 'experiment' && resource.owner === undefined) return
    requireOn(who, needs, resource)
  }

/** At the least: a service may ask for more. */
function needOf({ target, method, path }: Asked): Need {
  if (target.upstream !== 'inference' || method === 'GET' || method === 'HEAD') return 'READ'
  return path.startsWith('/v2/repository/') ? 'EDIT' : 'USE'
}

function resourceOf(owners: Owners, told: Told): Resource {
  if (told.kind === 'model') return owners.find('model', { name: told.name }) ?? told
  return owners.find('experiment', { id: told.id }) ?? { ...told, name: '' }
}
