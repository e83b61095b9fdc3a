import { LISTING, onModel, type Permission, requireOn } from '@millrace/platform/access/permission.ts'
import { mayOn } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { type Access, type Caller, mayAccess } from '@millrace/platform/http/identity.ts'

const use = onModel('USE', 'model')
const read = onModel('READ', 'model')
const edit = onModel('EDIT', 'model')
const list = onModel('READ', LISTING)
const OIP = ['/v2/models/:model', '/v2/models/:model/versions/:version']
const TENSORFLOW = ['/v1/models/:model', '/v1/models/:model/versions/:version', '/v1/models/:model/labels/:label']
const REPOSITORY = ['/v2/repository', '/v2/repository/:label']
const SCORING = ['/invocations', '/models/:model/invocations', '/models/:model/versions/:version/invocations']

const each = (paths: readonly string[], of: (path: string) => Record<string, Permission>): Record<string, Permission> => Object.assign({}, ...paths.map(of))

/** What each route of the prediction path asks of its caller, by method and path. */
const table: Readonly<Record<string, Permission>> = {
  ...each(OIP, (path) => ({ [`POST ${path}/infer`]: use, [`GET ${path}`]: read, [`GET ${path}/ready`]: read, [`GET ${path}/stats`]: read })),
  ...each(TENSORFLOW, (path) => ({
    ...each(['predict', 'classify', 'regress', 'explain'], (verb) => ({ [`POST ${path}:${verb}`]: use })),
    ...{ [`GET ${path}`]: read, [`GET ${path}/metadata`]: read },
  })),
  ...each(SCORING, (path) => ({ [`POST ${path}`]: use })),
  ...each(REPOSITORY, (path) => ({ [`POST ${path}/index`]: list, [`POST ${path}/models/:model/load`]: edit, [`POST ${path}/models/:model/unload`]: edit })),
  'POST /predict': use,
  'GET /v2': 'caller',
  'GET /v2/': 'caller',
  'GET /v2/health/live': 'public',
  'GET /v2/health/ready': 'public',
  'GET /v2/models': list,
  'GET /v2/models/stats': list,
  'GET /v1/models': list,
  'GET /ping': 'public',
  'GET /version': 'public',
  'GET /api/v1/serving/models': list,
  'GET /api/v1/serving/models/:model': read,
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly access: Access
}

export const permissionOf = ({ method, path }: Pick<Asked, 'method' | 'path'>): Permission | undefined => table[`${method} ${path}`]

/** What is asked of the rights of a caller once a model is known. */
export interface ModelRights {
  /** Whether the caller may be shown a model in a list. */
  readonly mayRead: (model: string) => boolean
  /** Called with the model that is about to answer, whatever named it: path, query, body, or that it is the only one. @throws AppError PERMISSION_DENIED */
  readonly requireUse: (model: string) => void
}

/** Nobody is asked about on a public route, which shows no model. */
const ALL: ModelRights = { mayRead: () => true, requireUse: () => undefined }

export function modelRightsOf(caller: Caller | null): ModelRights {
  if (!caller?.rights) return ALL
  return {
    mayRead: (name) => mayOn(caller, 'READ', { kind: 'model', name }),
    requireUse: (name) => requireOn(caller, 'USE', { kind: 'model', name }),
  }
}

/** Whether a caller may ask this, by the rights in the token alone; of a model that the path does not name, `requireUse` is told. @throws AppError PERMISSION_DENIED */
export function requirePermission(caller: Caller, route: Asked, model: string | null): void {
  const permission = permissionOf(route)
  if (!caller.rights || typeof permission !== 'object') requireRole(caller, route.access)
  else if (model !== null) requireOn(caller, permission.needs, { kind: 'model', name: model })
}

function requireRole(caller: Caller, access: Access): void {
  if (mayAccess(caller, access)) return
  throw new AppError('PERMISSION_DENIED', `${caller.user} has the role ${caller.role}, which does not include the right '${access}'.`)
}
