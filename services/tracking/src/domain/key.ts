const MAX_KEY_CHARACTERS = 250
const KEY = /^[/\p{L}\p{N}_.\- :]*$/u
const ALLOWED = 'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).'

/** Why a key of a param, metric or tag is refused, in MLflow's words; null where it is fine. `path` names the field, such as `metrics[0].key`. */
export function refuseKey(key: string, path: string): string | null {
  if (key === '') return `Missing value for required parameter '${path}'. See the API docs for more information about request parameters.`
  if (characters(key) > MAX_KEY_CHARACTERS) return `'${path}' exceeds the maximum length of ${MAX_KEY_CHARACTERS} characters`
  if (!KEY.test(key)) return `Invalid value ${JSON.stringify(key)} for parameter '${path}' supplied: ${ALLOWED}`
  const normal = normalPath(key)
  if (normal === key && key !== '.' && key !== '..' && !key.startsWith('../') && !key.startsWith('/')) return null
  return (
    `Invalid value ${JSON.stringify(key)} for parameter '${path}' supplied: Names may be treated as files in certain cases, and must not resolve to other ` +
    `names when treated as such. This name would resolve to '${normal}'`
  )
}

/** POSIX normal form: no empty or `.` segments, `..` resolved where something precedes it. */
function normalPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..' && segments.length > 0 && segments.at(-1) !== '..') segments.pop()
    else segments.push(segment)
  }
  return (path.startsWith('/') ? '/' : '') + (segments.join('/') || (path.startsWith('/') ? '' : '.'))
}

/** Code points, as the reference counts; the common case needs no walk. */
function characters(text: string): number {
  return text.length <= MAX_KEY_CHARACTERS ? text.length : [...text].length
}

/** The text, or its first `limit` code points where it is longer. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text
  const points = [...text]
  return points.length <= limit ? text : points.slice(0, limit).join('')
}

export const MAX_PARAM_VALUE = 6000
export const MAX_TAG_VALUE = 8000
export const RUN_NAME_TAG = 'mlflow.runName'
