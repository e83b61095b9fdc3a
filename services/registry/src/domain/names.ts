/** The rules for names and keys, each answering with the text that MLflow's clients know, or null where the value is fine. */

const MODEL_NAME = /^[^/:\p{Cc}]+$/u
const KEY = /^[/\p{L}\p{N}_.\- :]*$/u
const ALIAS = /^[\p{L}\p{N}_-]*$/u
const DOCS = 'See the API docs for more information about request parameters.'

export const MAX_MODEL_NAME = 256
export const MAX_KEY = 250
export const MAX_TAG_VALUE = 100_000
export const MAX_ALIAS = 255

export const missing = (field: string): string => `Missing value for required parameter '${field}'. ${DOCS}`
export const tooLong = (field: string, maximum: number): string => `'${field}' exceeds the maximum length of ${maximum} characters`

/** Whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed()

export function problemOfModelName(name: string, field = 'name'): string | null {
  if (name.trim() === '') return missing(field)
  if (name.length > MAX_MODEL_NAME) return tooLong(field, MAX_MODEL_NAME)
  if (!MODEL_NAME.test(name) || !isStorable(name)) return `Invalid model name '${name}'. Names cannot contain '/' or ':'.`
  if (name === '.' || name.startsWith('..')) return `Invalid model name '${name}'. Names cannot be '.' or start with '..'.`
  return null
}

export function problemOfAlias(alias: string): string | null {
  if (alias === '') return 'Registered model alias name cannot be empty.'
  if (alias.length > MAX_ALIAS) return tooLong('alias', MAX_ALIAS)
  if (!ALIAS.test(alias)) return `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_) and dashes (-).`
  if (alias.toLowerCase() === 'latest') return "'latest' alias name (case insensitive) is reserved."
  if (/^v\d+$/i.test(alias)) return `Version alias name '${alias}' is reserved.`
  return null
}

export function problemOfKey(key: string, field: string): string | null {
  if (key === '') return missing(field)
  if (key.length > MAX_KEY) return tooLong(field, MAX_KEY)
  if (!KEY.test(key)) {
    const rule = 'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).'
    return `Invalid value ${JSON.stringify(key)} for parameter '${field}' supplied: ${rule}`
  }
  if (isNormalPath(key)) return null
  return `Invalid value ${JSON.stringify(key)} for parameter '${field}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such.`
}

/** Read as a POSIX path it is relative, in its normal form, and does not climb. */
function isNormalPath(key: string): boolean {
  if (key.startsWith('..')) return false
  return key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}
