import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { under } from './mount.ts'

/** The release of MLflow whose wire contract is served; clients ask for it to choose what they may send. */
const MLFLOW_VERSION = '3.11.1'

const get = { method: 'GET', errors: 'mlflow' } as const

export const serverRoutes: readonly Route[] = [
  route({
    ...get,
    access: 'public',
    path: '/version',
    summary: 'The version of the protocol.',
    handle: async () => ok(MLFLOW_VERSION, { 'content-type': 'text/plain; charset=utf-8' }),
  }),
  ...under(
    ['/api/3.0/mlflow', '/ajax-api/3.0/mlflow'],
    [
      ...(['GET', 'POST'] as const).map((method) =>
        route({
          errors: 'mlflow',
          method,
          access: 'read',
          path: '/server-info',
          summary: 'What kind of store this is.',
          handle: async () => ok({ store_type: 'SqlStore', workspaces_enabled: false }),
        }),
      ),
    ],
  ),
]
