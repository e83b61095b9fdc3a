import { isRecord, type JsonSchema, listOf, schemasOf } from './json-schema.ts'
import { resolveReference } from './normal-form.ts'

/** A property as a schema declares it, with its place in the data. */
export interface UsedName {
  readonly path: string
  readonly schema: JsonSchema
}

/** Every property that a schema names, at every depth. A definition that contains itself is entered once. */
export function usedNames(root: JsonSchema): readonly UsedName[] {
  const entered = new Set<JsonSchema>()
  function visit(schema: JsonSchema, path: string): readonly UsedName[] {
    const resolved = resolveReference(schema, root)
    if (!isRecord(resolved) || entered.has(resolved)) return []
    entered.add(resolved)
    const properties = [...schemasOf(resolved['properties'])].flatMap(([name, property]) => [
      { path: `${path}.${name}`, schema: resolveReference(property, root) },
      ...visit(property, `${path}.${name}`),
    ])
    const alternatives = [...listOf(resolved['anyOf']), ...listOf(resolved['oneOf'])].flatMap((branch) => visit(branch, path))
    const items = [...listOf([resolved['items']]), ...listOf(resolved['prefixItems'])].flatMap((item) => visit(item, `${path}[]`))
    const values = listOf([resolved['additionalProperties']]).flatMap((value) => visit(value, `${path}.*`))
    entered.delete(resolved)
    return [...properties, ...alternatives, ...items, ...values]
  }
  return visit(root, '$')
}
