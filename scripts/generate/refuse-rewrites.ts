import { compareSchemas } from '@millrace/contracts/compatibility/compare-schemas.ts'
import { isSchema, type JsonSchema } from '@millrace/contracts/compatibility/json-schema.ts'
import { checkEventHistories } from '../check/event-history.ts'

function parse(text: string): JsonSchema {
  const schema: unknown = JSON.parse(text)
  return isSchema(schema) ? schema : true
}

/**
 * Why the event schemas must not be written: a published minor is never rewritten, and a new one must agree with all before it. Both by path:
 * `published` is what is on disk, `generated` what the definitions say now.
 */
export function refuseRewrites(published: ReadonlyMap<string, string>, generated: ReadonlyMap<string, string>): readonly string[] {
  const rewritten = [...generated].flatMap(([path, text]) => {
    const before = published.get(path)
    return before === undefined || before === text ? [] : [explain(path, compareSchemas(parse(before), parse(text)))]
  })
  return rewritten.length > 0 ? rewritten : checkEventHistories(new Map([...published, ...generated]))
}

const UNCOMMITTED = '(not committed yet? then delete the file and its line in contracts/schemas/published.json)'

function explain(path: string, problems: ReturnType<typeof compareSchemas>): string {
  if (problems.length === 0) return `${path} is published and stays as it is: raise 'minor' in the event's definition to publish the change ${UNCOMMITTED}`
  const list = problems.map((found) => `  ${found.path} ${found.message}`).join('\n')
  return `${path} is published and the change would break its readers: define a new major version of the event, or take the change back ${UNCOMMITTED}\n${list}`
}
