/** Where OpenLineage finds a data set again: its namespace and name, by the naming rules of OpenLineage. */
export interface DatasetAddress {
  readonly namespace: string
  readonly name: string
}

const REMOTE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)\/?([^?#]*)/i

/** The address that a data set's source names: a bucket, a host or a local file; null where it names nothing that others could find. */
export function addressOf(source: string | null): DatasetAddress | null {
  const location = source === null ? null : locationIn(source)
  if (location === null || location === '') return null
  if (location.startsWith('file:')) return { namespace: 'file', name: location.replace(/^file:(\/\/[^/]*)?/, '') || '/' }
  const remote = REMOTE.exec(location)
  if (!remote) return /^[A-Za-z][A-Za-z0-9+.-]+:/.test(location) ? null : { namespace: 'file', name: location }
  const [, scheme = '', authority = '', name = ''] = remote
  return { namespace: `${scheme.toLowerCase()}://${withoutUser(authority)}`, name: name || '/' }
}

/** Never a password: what is published is read by many. */
const withoutUser = (authority: string): string => authority.slice(authority.lastIndexOf('@') + 1)

/** MLflow's sources are JSON with the place under one of these names, or a mere path. */
function locationIn(source: string): string | null {
  if (!/^\s*[[{]/.test(source)) return /^[\x21-\x7e\p{L} ]{1,1000}$/u.test(source) ? source : null
  try {
    const record: Record<string, unknown> = Object(JSON.parse(source))
    const found = ['uri', 'url', 'path'].map((key) => record[key]).find((value) => typeof value === 'string')
    return typeof found === 'string' ? found : null
  } catch {
    return null
  }
}
