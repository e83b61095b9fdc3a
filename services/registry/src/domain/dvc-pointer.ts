/** Where DVC keeps the very bytes of a data set. */
export interface DvcPointer {
  readonly path: string | null
  /** MD5 of the file, or of the directory's listing (`….dir`). */
  readonly md5: string | null
  /** Commit or tag of the repository that holds the `.dvc` file. */
  readonly revision: string | null
  readonly repository: string | null
  readonly remote: string | null
}

export interface DataSource {
  readonly name: string
  readonly sourceType: string | null
  readonly source: string | null
}

const MD5 = /^[0-9a-f]{32}(\.dir)?$/

/**
 * The pointer of a data set, if any: a source of type `dvc` or one that names a `.dvc` file, as JSON (`{path, md5, rev, repo, remote}`, or a `.dvc` file's own
 * `{outs: [{md5, path}]}`) or as a mere path; else the run's tags `dvc.<data set>.<field>` or `dvc.<field>`.
 */
export function dvcPointerOf(data: DataSource, tags: Readonly<Record<string, string>>): DvcPointer | null {
  const named = fieldsOf(data)
  const read = (...keys: string[]): string | null => {
    const tagged = keys.flatMap((key) => [tags[`dvc.${data.name}.${key}`], tags[`dvc.${key}`]])
    return [...keys.map((key) => named?.[key]), ...tagged].find((value) => value !== undefined && value !== '') ?? null
  }
  const md5 = read('md5')
  const pointer: DvcPointer = {
    path: read('path', 'uri', 'url'),
    md5: md5 !== null && MD5.test(md5) ? md5 : null,
    revision: read('rev', 'revision'),
    repository: read('repo', 'repository'),
    remote: read('remote'),
  }
  const isTold = named !== null || Object.keys(tags).some((key) => key.startsWith(`dvc.${data.name}.`) || /^dvc\.[a-z0-9]+$/.test(key))
  return isTold && Object.values(pointer).some((value) => value !== null) ? pointer : null
}

/** Null where the source is none of DVC's. */
function fieldsOf({ sourceType, source }: DataSource): Readonly<Record<string, string | undefined>> | null {
  if (source === null) return null
  const record = parse(source)
  const isDvc = sourceType === 'dvc' || /\.dvc$/.test(record ? (text(record['uri']) ?? text(record['path']) ?? '') : source) || Array.isArray(record?.['outs'])
  if (!isDvc) return null
  if (!record) return { path: source }
  const [out] = Array.isArray(record['outs']) ? record['outs'] : []
  const flat = { ...record, ...(isRecord(out) ? out : {}) }
  return Object.fromEntries(Object.entries(flat).map(([key, value]) => [key, text(value)]))
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function parse(source: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(source)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}
