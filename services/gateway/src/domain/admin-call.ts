import type { Target } from './route-table.ts'

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE']
/** MLflow's reads that come as POST, and label feeds: traffic, not administration. */
const NOT_ADMINISTRATIVE = /\/(?:search|get-latest-versions|get-download-uri|query|test)$|^\/api\/v1\/labels(?:\/|$)/
/** What tracking takes away or gives back; logging is the work of runs. */
const REMOVAL = /\/(?:delete|restore|delete-tag|delete-runs)$/

/**
 * Whether a call changes what the platform does for others: models and their stages, promotions, training jobs, webhooks, keys. `target` is null for what the gateway
 * answers itself.
 */
export function isAdministrative(method: string, path: string, target: Target | null): boolean {
  if (!WRITES.includes(method) || NOT_ADMINISTRATIVE.test(path)) return false
  if (target === null) return path.startsWith('/api/')
  if (target.upstream === 'inference') return path.startsWith('/v2/repository/') && !path.endsWith('/index')
  if (target.upstream === 'tracking') return method === 'DELETE' || REMOVAL.test(path)
  return true
}
