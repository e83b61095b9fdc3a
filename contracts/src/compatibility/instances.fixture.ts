import fc from 'fast-check'
import { isRecord, type JsonSchema, listOf, type SchemaObject, schemasOf, textsOf } from './json-schema.ts'
import { resolveReference } from './normal-form.ts'

const MAX_SAFE = Number.MAX_SAFE_INTEGER

/** Instances that a schema accepts: the oracle of the compatibility checker. It reads the schema on its own, not through the checker's normal form. */
export function instancesOf(root: JsonSchema, count: number, seed = 7): readonly unknown[] {
  return fc.sample(arbitraryOf(root, root, 0), { numRuns: count, seed })
}

function arbitraryOf(unresolved: JsonSchema, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const schema = resolveReference(unresolved, root)
  if (!isRecord(schema)) return fc.jsonValue({ maxDepth: 1 })
  if (schema['const'] !== undefined) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom<unknown>(...schema['enum'])
  const branches = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (branches.length > 0) return fc.oneof(...branches.map((branch) => arbitraryOf(branch, root, depth)))
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
  return fc.oneof(...types.map((type) => ofType(String(type), schema, root, depth)))
}

function ofType(type: string, schema: SchemaObject, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: numberOf(schema, 'minimum') ?? above(schema) ?? -MAX_SAFE, max: numberOf(schema, 'maximum') ?? MAX_SAFE })
    case 'number':
      return numbers(schema)
    case 'string':
      return strings(schema)
    case 'array':
      return arrays(schema, root, depth)
    case 'object':
      return objects(schema, root, depth)
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

const numberOf = (schema: SchemaObject, keyword: string): number | undefined => (typeof schema[keyword] === 'number' ? schema[keyword] : undefined)

function above(schema: SchemaObject): number | undefined {
  const edge = numberOf(schema, 'exclusiveMinimum')
  return edge === undefined ? undefined : edge + 1
}

function numbers(schema: SchemaObject): fc.Arbitrary<number> {
  const open = numberOf(schema, 'exclusiveMinimum')
  const min = open ?? numberOf(schema, 'minimum') ?? -1e9
  return fc.double({ min, max: numberOf(schema, 'maximum') ?? 1e9, noNaN: true, minExcluded: open !== undefined }).map((value) => value + 0)
}

function strings(schema: SchemaObject): fc.Arbitrary<string> {
  if (schema['format'] === 'date-time') return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString())
  if (schema['format'] === 'uuid') return fc.uuid()
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern']))
  return fc.string({ minLength: numberOf(schema, 'minLength') ?? 0, maxLength: numberOf(schema, 'maxLength') ?? 12 })
}

function arrays(schema: SchemaObject, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const prefix = listOf(schema['prefixItems'])
  if (prefix.length > 0) return fc.tuple(...prefix.map((item) => arbitraryOf(item, root, depth + 1)))
  const [items = true] = listOf([schema['items']])
  const minLength = numberOf(schema, 'minItems') ?? 0
  if (depth > 6) return fc.constant([])
  return fc.array(arbitraryOf(items, root, depth + 1), { minLength, maxLength: Math.min(numberOf(schema, 'maxItems') ?? 3, minLength + 3) })
}

/** Declared properties, the optional ones now and then; entries of a map where additional properties have a schema; nothing under names of chance else. */
function objects(schema: SchemaObject, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.fromEntries([...schemasOf(schema['properties'])].flatMap(([name, property]) => entry(name, property, schema, root, depth)))
  const declared = fc.record(properties, { requiredKeys: textsOf(schema['required']).filter((name) => name in properties), noNullPrototype: true })
  const [values] = listOf([schema['additionalProperties']])
  if (!isRecord(values) || Object.keys(values).length === 0) return declared
  const [names = true] = listOf([schema['propertyNames']])
  const keys = isRecord(names) ? strings(names) : fc.string()
  const safe = keys.filter((key) => key !== '__proto__' && !(key in properties))
  const size = { minKeys: numberOf(schema, 'minProperties') ?? 0, maxKeys: numberOf(schema, 'maxProperties') ?? 3 }
  return fc
    .tuple(fc.dictionary(safe, arbitraryOf(values, root, depth + 1), { ...size, noNullPrototype: true }), declared)
    .map(([map, own]) => ({ ...map, ...own }))
}

/** A definition that contains itself ends after a few rounds, where the property may be left out. */
function entry(name: string, property: JsonSchema, schema: SchemaObject, root: JsonSchema, depth: number): [string, fc.Arbitrary<unknown>][] {
  if (depth > 3 && !textsOf(schema['required']).includes(name)) return []
  return [[name, arbitraryOf(property, root, depth + 1)]]
}
