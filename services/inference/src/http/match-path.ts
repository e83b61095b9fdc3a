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

export type MatchPath = (path: string) => PathMatch | null

/** `:model` takes any segment, `:model:predict` one that ends in `:predict`. */
interface Segment {
  readonly param: keyof PathParams | null
  readonly text: string
}

interface Pattern {
  readonly path: string
  readonly segments: readonly Segment[]
  readonly routes: readonly DirectRoute[]
}

/** Paths below these are the prediction path's, whether or not anything is there; any other path that no route has is left to the host. */
const OURS: readonly (readonly [prefix: string, errors: ErrorDialect])[] = [
  ['/v2', 'oip'],
  ['/v1/models', 'oip'],
  ['/models', 'mlflow'],
]
const NOTHING: PathParams = { model: null, version: null, label: null }

/** Looks routes up by their number of segments; of those that fit, the one with the most fixed text counts (`/v2/models/stats` before `/v2/models/:model`). */
export function createMatchPath(routes: readonly DirectRoute[]): MatchPath {
  const bySize = new Map<number, Pattern[]>()
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const segments = path.split('/').map(parseSegment)
    bySize.set(segments.length, [...(bySize.get(segments.length) ?? []), { path, segments, routes: ofPath }])
  }
  for (const patterns of bySize.values()) patterns.sort((one, other) => fixedText(other) - fixedText(one))
  return function matchPath(path) {
    const parts = path.split('/')
    const pattern = bySize.get(parts.length)?.find(({ segments }) => segments.every((segment, index) => fits(segment, parts[index] ?? '')))
    const errors = pattern?.routes[0]?.errors
    if (pattern && errors) return { candidates: pattern.routes, segments: paramsOf(pattern, parts), errors, pattern: pattern.path }
    const ours = OURS.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))
    return ours ? { candidates: [], segments: NOTHING, errors: ours[1], pattern: ours[0] } : null
  }
}

function parseSegment(part: string): Segment {
  const [, name, suffix] = /^:(model|version|label)(:[a-z]+)?$/.exec(part) ?? []
  const param = name === 'model' || name === 'version' || name === 'label' ? name : null
  return { param, text: param ? (suffix ?? '') : part }
}

const fixedText = ({ segments }: Pattern): number => segments.reduce((sum, { text }) => sum + text.length, 0)

const fits = ({ param, text }: Segment, part: string): boolean => (param ? part.length > text.length && part.endsWith(text) : part === text)

function paramsOf({ segments }: Pattern, parts: readonly string[]): PathParams {
  const at = (param: keyof PathParams): string | null => {
    const index = segments.findIndex((segment) => segment.param === param)
    const part = parts[index]
    return part === undefined ? null : part.slice(0, part.length - (segments[index]?.text.length ?? 0))
  }
  return { model: at('model'), version: at('version'), label: at('label') }
}
