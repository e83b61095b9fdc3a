import { canonical, isRecord, type JsonSchema, listOf, type SchemaObject, schemasOf } from './json-schema.ts'
import { annotations } from './vocabulary.ts'

/** A schema without references and with null set apart, so that the different ways to write the same thing compare as equal. */
export interface NormalForm {
  readonly nullable: boolean
  /** Sorted and without null; empty = any. */
  readonly types: readonly string[]
  readonly keywords: SchemaObject
  /** Alternatives of `anyOf` or `oneOf`, null apart; empty = none. */
  readonly branches: readonly JsonSchema[]
  readonly branching: 'anyOf' | 'oneOf' | null
}

/** Follows `$ref` to the definition it names. @throws Error for a reference to nothing, or to itself */
export function resolveReference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const seen = new Set<string>()
  let current = schema
  while (isRecord(current) && typeof current['$ref'] === 'string') {
    const reference: string = current['$ref']
    const target: JsonSchema | undefined = isRecord(root) ? schemasOf(root['$defs']).get(reference.slice('#/$defs/'.length)) : undefined
    if (target === undefined || seen.has(reference)) throw new Error(`'${reference}' leads to no definition`)
    seen.add(reference)
    current = target
  }
  return current
}

const isNull = (schema: JsonSchema): boolean => isRecord(schema) && schema['type'] === 'null'

/** Lifts null out of `type`, `enum` and `anyOf`; an `anyOf` of one schema and null becomes that schema. */
export function normalForm(schema: SchemaObject, root: JsonSchema): NormalForm {
  const branching = schema['anyOf'] ? 'anyOf' : schema['oneOf'] ? 'oneOf' : null
  const all = branching ? listOf(schema[branching]).map((branch) => resolveReference(branch, root)) : []
  const branches = hasOwnRules(schema) ? all : all.filter((branch) => !isNull(branch))
  const [only] = branches
  if (branches.length === 1 && isRecord(only) && !hasOwnRules(schema)) {
    const inner = normalForm(only, root)
    return { ...inner, nullable: inner.nullable || all.length > 1 }
  }
  const written = Array.isArray(schema['type']) ? schema['type'].map(String) : schema['type'] === undefined ? [] : [String(schema['type'])]
  const values = Array.isArray(schema['enum']) ? schema['enum'] : null
  const typedNull = written.includes('null') && (values === null || values.includes(null))
  const types = written.filter((type) => type !== 'null').sort((a, b) => (a < b ? -1 : 1))
  const keywords = values === null ? schema : { ...schema, enum: sorted(typedNull ? values.filter((value) => value !== null) : values) }
  return { nullable: typedNull || all.length > branches.length, types, keywords, branches, branching }
}

const sorted = (values: readonly unknown[]): readonly unknown[] => [...values].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))

/** Whether more than the alternatives themselves decides about a value. */
const hasOwnRules = (schema: SchemaObject): boolean =>
  Object.keys(schema).some((keyword) => !['anyOf', 'oneOf', '$defs'].includes(keyword) && !annotations.includes(keyword))
