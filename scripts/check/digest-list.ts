import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'

/** Files that others rely on once they are committed: the list holds the SHA-256 of each, by its path below the list's own folder, and only ever grows. */
export interface DigestList {
  readonly what: string
  /** Paths below the repository. */
  readonly list: string
  readonly folder: string
}

export const publishedSchemas: DigestList = { what: 'published event schema', list: 'contracts/schemas/published.json', folder: 'contracts/schemas/events' }
export const goldenEvents: DigestList = { what: 'golden event', list: 'contracts/golden/digests.json', folder: 'contracts/golden' }

export type Digests = Readonly<Record<string, string>>

const nameIn = (list: DigestList, path: string): string => posix.relative(posix.dirname(list.list), path)
export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

/** @throws Error for a list that is no JSON object of texts */
export function parseDigests(text: string, name: string): Digests {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error(`${name}: expected an object of digests by path`)
  const entries = Object.entries(parsed).map(([path, digest]: [string, unknown]): [string, string] => {
    if (typeof digest !== 'string') throw new Error(`${name}: expected a SHA-256 at '${path}'`)
    return [path, digest]
  })
  return Object.fromEntries(entries)
}

/** What is recorded; nothing where there is no list yet. */
export function readDigests(root: string, { list }: DigestList): Digests {
  const path = join(root, list)
  return existsSync(path) ? parseDigests(readFileSync(path, 'utf8'), list) : {}
}

/** Paths below the repository of every file that belongs on the list. */
export function filesOf(root: string, { list, folder }: DigestList): readonly string[] {
  const base = join(root, folder)
  if (!existsSync(base)) return []
  const entries = readdirSync(base, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return paths.filter((path) => path !== list).sort((a, b) => (a < b ? -1 : 1))
}

/** The list with what is new; an entry that is there already stays as it is. */
export function extendDigests(recorded: Digests, list: DigestList, contents: ReadonlyMap<string, string | Buffer>): Digests {
  const fresh = [...contents].map(([path, content]): [string, string] => [nameIn(list, path), sha256(content)])
  return Object.fromEntries(Object.entries({ ...Object.fromEntries(fresh), ...recorded }).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Files that were changed or removed since they were recorded, and files that nobody recorded. */
export function checkDigests(root: string, list: DigestList): readonly string[] {
  const recorded = readDigests(root, list)
  const files = new Map(filesOf(root, list).map((path) => [nameIn(list, path), path]))
  const gone = Object.keys(recorded).filter((name) => !files.has(name))
  const changed = [...files].filter(([name, path]) => recorded[name] !== undefined && recorded[name] !== sha256(readFileSync(join(root, path))))
  const unrecorded = [...files].filter(([name]) => recorded[name] === undefined)
  return [
    ...gone.map((name) => `${list.what} ${name} was removed: bring it back, readers of old events need it`),
    ...changed.map(
      ([name]) =>
        `${list.what} ${name} was changed after it was published: restore it, and add a new file instead (not committed yet? then delete its line in ${list.list} and generate)`,
    ),
    ...unrecorded.map(([name]) => `${list.what} ${name} is not recorded in ${list.list} (run: npm run generate)`),
  ]
}
