/** Where a version's artifact comes from, as the registry can treat it. */
export type Source =
  /** Files that tracking keeps: it can seal them. */
  | { kind: 'tracked' }
  | { kind: 'logged-model'; modelId: string }
  | { kind: 'version'; model: string; reference: string }
  /** A remote store that Millrace does not own. */
  | { kind: 'external' }

export const MAX_SOURCE = 2048
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/
const LOGGED_MODEL = /^models:\/(m-[A-Za-z0-9]+)$/
const VERSION = /^models:\/([^/@:]+)[/@]([^/@]+)$/

/** Recognizes a source that `problemOfSource` let pass. */
export function classifySource(source: string): Source {
  if (/^runs:\/[^/]/.test(source) || /^mlflow-artifacts:\/[^/]/.test(source)) return { kind: 'tracked' }
  const logged = LOGGED_MODEL.exec(source)
  if (logged?.[1]) return { kind: 'logged-model', modelId: logged[1] }
  const version = VERSION.exec(source)
  if (version?.[1] && version[2]) return { kind: 'version', model: version[1], reference: source.includes('@') ? `@${version[2]}` : version[2] }
  return { kind: 'external' }
}

const local = (source: string): string =>
  `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.`

const relative = (source: string): string =>
  `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.`

const prompt = (source: string): string => `Invalid prompt source: '${source}'. Local paths are not allowed as the source of a prompt.`

/** Refuses local files (with or without a run) and paths that climb, however often they are percent-encoded; null where the source is fine. */
export function problemOfSource(source: string): string | null {
  const decoded = decodeFully(source)
  if (decoded === null) return relative(source)
  const scheme = SCHEME.exec(decoded)?.[1]?.toLowerCase()
  if (scheme === undefined || scheme === 'file') return local(source)
  if (/\p{Cc}/u.test(decoded) || !decoded.isWellFormed()) return relative(source)
  const ours = scheme === 'mlflow-artifacts' || scheme === 'runs' || scheme === 'models'
  if (ours && /[#?]/.test(source)) return relative(source)
  return climbs(decoded.slice(scheme.length + 1)) ? relative(source) : null
}

/** A prompt's source is a mere label; it must still not name a local file. */
export function problemOfPromptSource(source: string): string | null {
  const decoded = decodeFully(source)
  if (decoded === null || /^(file:|\/|\\|[A-Za-z]:[\\/])/i.test(decoded) || /\p{Cc}/u.test(decoded) || !decoded.isWellFormed()) return prompt(source)
  return climbs(decoded) ? prompt(source) : null
}

/** Segments of path, query and fragment alike: a `..` in a query was a bypass once. */
const climbs = (text: string): boolean => text.split(/[/\\?#&=;]/).some((segment) => segment === '.' || segment === '..')

/** Percent-decodes until nothing changes, at most ten times; null where it never settles or cannot be decoded. */
function decodeFully(text: string): string | null {
  let current = text
  for (let round = 0; round < 10; round++) {
    const next = decodeOnce(current)
    if (next === current) return current
    current = next
  }
  return null
}

/** A percent sign that encodes nothing stays as it is, as lenient readers take it. */
function decodeOnce(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run.replace(/%([01234567][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    }
  })
}

/** A path below a run's artifacts, as in `millrace.register.path`: relative, normal, plain. */
export function isArtifactPath(path: string): boolean {
  const decoded = decodeFully(path)
  if (decoded === null || decoded === '' || decoded.length > 1024 || /[\p{Cc}\\#?]/u.test(decoded) || !decoded.isWellFormed()) return false
  if (/^[A-Za-z]+:/.test(decoded)) return false
  return decoded.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}
