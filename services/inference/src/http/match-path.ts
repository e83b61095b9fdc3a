import type { ErrorDialect } from '@millrace/platform/http/route.ts'
import type { DirectRoute } from './direct.ts'
import type { PathParams } from './exchange.ts'

export interface PathMatch {
  /** Routes of every method at this path; none where the path is ours but nothing is there. */
  readonly candidates: readonly DirectRoute[]
  /** Still encoded. */
  readonly segments: PathParams
  readonly errors: ErrorDialect
  /** The pattern, for metrics: bounded, unlike the path. */
  readonly pattern: string
}

/** Finds the routes of a path. Everything under /v2 is ours; any other path that no route has is left to the host (null). */
export function matchPath(routes: readonly DirectRoute[], path: string): PathMatch | null {
  const parts = path.split('/')
  const candidates = routes.filter((route) => matchPattern(route.path, parts))
  const [first] = candidates
  if (first) return { candidates, segments: paramsOf(first.path, parts), errors: first.errors, pattern: first.path }
  return path === '/v2' || path.startsWith('/v2/') ? { candidates: [], segments: { model: null, version: null }, errors: 'oip', pattern: '/v2' } : null
}

function matchPattern(pattern: string, parts: readonly string[]): boolean {
  const expected = pattern.split('/')
  return expected.length === parts.length && expected.every((name, index) => (name.startsWith(':') ? parts[index] !== '' : name === parts[index]))
}

function paramsOf(pattern: string, parts: readonly string[]): PathParams {
  const expected = pattern.split('/')
  const at = (name: string): string | null => parts[expected.indexOf(name)] ?? null
  return { model: at(':model'), version: at(':version') }
}
