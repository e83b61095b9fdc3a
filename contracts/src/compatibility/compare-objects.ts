import { isRecord, isSchema, type JsonSchema, type Problem, problem, type SchemaObject, schemasOf, textsOf } from './json-schema.ts'

/** Compares two schemas of the same place in the data. */
export type Compare = (older: JsonSchema, newer: JsonSchema, path: string) => readonly Problem[]

/** An object may gain optional properties where it was open; everything it had stays as it was. */
export function compareObjects(older: SchemaObject, newer: SchemaObject, path: string, compare: Compare): readonly Problem[] {
  const [before, after] = [schemasOf(older['properties']), schemasOf(newer['properties'])]
  const kept = [...before].flatMap(([name, schema]) => {
    const successor = after.get(name)
    return successor === undefined ? problem(`${path}.${name}`, 'was removed or renamed') : compare(schema, successor, `${path}.${name}`)
  })
  const added = [...after].filter(([name]) => !before.has(name)).flatMap(([name, schema]) => compareAdded(older, schema, `${path}.${name}`, compare))
  return [
    ...kept,
    ...added,
    ...compareRequired(older, newer, path),
    ...compare(memberOf(older, 'additionalProperties'), memberOf(newer, 'additionalProperties'), `${path}.*`),
    ...compare(memberOf(older, 'propertyNames'), memberOf(newer, 'propertyNames'), `${path}.(name)`),
  ]
}

/** Absent, true and {} are the same: open. */
const memberOf = (schema: SchemaObject, keyword: string): JsonSchema => (isSchema(schema[keyword]) ? schema[keyword] : true)

function compareRequired(older: SchemaObject, newer: SchemaObject, path: string): readonly Problem[] {
  const [before, after] = [textsOf(older['required']), textsOf(newer['required'])]
  const had = schemasOf(older['properties'])
  return [
    ...after
      .filter((name) => !before.includes(name))
      .flatMap((name) => problem(`${path}.${name}`, had.has(name) ? 'was optional, is required' : 'is new and required: add it as optional')),
    ...before.filter((name) => !after.includes(name)).flatMap((name) => problem(`${path}.${name}`, 'was required, is not any more')),
  ]
}

/** Readers of the older minor see the new property as an additional one. */
function compareAdded(older: SchemaObject, schema: JsonSchema, path: string, compare: Compare): readonly Problem[] {
  const additional = memberOf(older, 'additionalProperties')
  if (additional === false) return problem(path, 'is new in an object that was closed: its readers refuse it')
  if (restrictsNames(memberOf(older, 'propertyNames'))) return problem(path, 'is new in an object whose names were restricted')
  const isOpen = additional === true || (isRecord(additional) && Object.keys(additional).length === 0)
  return isOpen ? [] : compare(additional, schema, path)
}

const restrictsNames = (names: JsonSchema): boolean => names === false || (isRecord(names) && Object.keys(names).some((keyword) => keyword !== 'type'))
