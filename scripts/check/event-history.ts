import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { checkHistory, type Minor } from '@millrace/contracts/compatibility/check-history.ts'
import { isSchema } from '@millrace/contracts/compatibility/json-schema.ts'
import { eventCatalogue } from '@millrace/contracts/events/catalogue.ts'
import { filesOf, publishedSchemas } from './digest-list.ts'

/** Contents by path below the repository of every event schema that is on disk. */
export function readEventSchemas(root: string): Map<string, string> {
  return new Map(filesOf(root, publishedSchemas).map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

/** What is wrong with the histories of all event types, given every schema that was or will be published, by path. */
export function checkEventHistories(schemas: ReadonlyMap<string, string>): readonly string[] {
  const byType = Map.groupBy(schemas, ([path]) => basename(dirname(path)))
  const definitions = new Map<string, (typeof eventCatalogue)[number]>(eventCatalogue.map((definition) => [definition.type, definition]))
  return [...byType].flatMap(([type, files]) => {
    const minors = files.map(([path, text]) => readMinor(path, text))
    const definition = definitions.get(type)
    const newest = Math.max(...minors.map(({ minor }) => minor))
    const current = definition && definition.minor !== newest ? [`${type}: minor ${newest} is published, the definition says ${definition.minor}`] : []
    return [...current, ...checkHistory(minors, definition?.reserved).map((found) => describe(type, found))]
  })
}

function readMinor(path: string, text: string): Minor {
  const match = /^\d+\.(\d+)\.json$/.exec(basename(path))
  const schema: unknown = JSON.parse(text)
  if (!match || !isSchema(schema)) throw new Error(`${path}: expected a JSON Schema named <major>.<minor>.json`)
  return { minor: Number(match[1]), schema }
}

function describe(type: string, { minor, against, path, message }: ReturnType<typeof checkHistory>[number]): string {
  return `${type} minor ${minor}${against === null ? '' : ` against ${against}`}: ${path} ${message}`
}
