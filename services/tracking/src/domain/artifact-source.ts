import { cleanArtifactPath, decodeOnce, INVALID_PATH, joinPath } from './artifact-path.ts'
import { type BucketPlace, parseBucketUri } from './bucket-place.ts'

/** What a source URI points at. `path`: under the artifact root of this store; the others need a look into the database. */
export type ArtifactSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'bucket'; readonly place: BucketPlace }
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  | { readonly kind: 'logged-model'; readonly modelId: string; readonly path: string }

const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/

/** Reads `mlflow-artifacts:/…`, `runs:/<run id>/<path>`, `models:/m-…` or `s3://<bucket>/<key>`; null for anything else, and for a path that is not safe. */
export function parseArtifactSource(source: string): ArtifactSource | null {
  const place = parseBucketUri(source)
  if (place) return place.key === '' ? null : { kind: 'bucket', place }
  const [, scheme = '', rest = ''] = /^(mlflow-artifacts|runs|models):(.*)$/s.exec(source) ?? []
  if (scheme === 'mlflow-artifacts') {
    const path = proxiedPath(source)
    return path === null || path === '' ? null : { kind: 'path', path }
  }
  if (scheme === '' || !/^\/[^/]/.test(rest)) return null
  const clean = cleanArtifactPath(rest.slice(1))
  const [id = '', ...segments] = clean?.split('/') ?? []
  if (scheme === 'runs') return RUN_ID.test(id) ? { kind: 'run', runId: id, path: segments.join('/') } : null
  return /^m-[\w-]{1,254}$/.test(id) ? { kind: 'logged-model', modelId: id, path: segments.join('/') } : null
}

/** The path in this store that a proxied artifact URI names, whatever host it carries; null for a URI of another store. */
export function proxiedPath(uri: string): string | null {
  const path = /^mlflow-artifacts:(?:\/\/[^/?#]*)?\/?([^?]*)$/s.exec(uri)?.[1]
  return path === undefined ? null : cleanArtifactPath(path)
}

const under = (root: string, ...parts: readonly string[]): string => `${root.replace(/\/+$/, '')}/${joinPath(...parts)}`

/** Roots as the official client expects them. */
export const experimentRoot = (experimentId: number): string => `mlflow-artifacts:/${experimentId}`
export const runRoot = (experimentLocation: string, runId: string): string => under(experimentLocation, runId, 'artifacts')
export const loggedModelRoot = (experimentLocation: string, modelId: string): string => under(experimentLocation, 'models', modelId, 'artifacts')

/** Why an experiment may not have this location; null where it may. Of what lies outside of this store the server reads nothing but what it was configured to. */
export function refuseArtifactLocation(location: string): string | null {
  if (location.length > 2048) return "'artifact_location' exceeds the maximum length of 2048 characters"
  if (/^runs:/i.test(location)) return `Artifact location cannot be a runs:/ URI. Given: '${location}'`
  if (/[#;\p{Cc}]/u.test(location)) return `Invalid artifact location '${location}': it must have no fragment, parameters or control characters`
  if (/^(mlflow-artifacts):/.test(location) && proxiedPath(location) === null) return INVALID_PATH
  return location.includes('?') && climbs(location.slice(location.indexOf('?') + 1)) ? INVALID_PATH : null
}

const MAX_ROUNDS = 10

/** Whether a query holds `..` under any layer of percent-encoding, or more layers than anybody needs. */
function climbs(query: string): boolean {
  let text = query
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (/(^|[^a-z0-9.])\.\.([^a-z0-9.]|$)/i.test(text)) return true
    const decoded = decodeOnce(text)
    if (decoded === text) return false
    text = decoded
  }
  return true
}
