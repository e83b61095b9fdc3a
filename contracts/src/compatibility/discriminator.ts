import { canonical, isRecord, type JsonSchema, schemasOf, textsOf } from './json-schema.ts'

/** Whether one required property tells the alternatives apart: it has a `const` of its own in each. */
export function hasDiscriminator(branches: readonly JsonSchema[]): boolean {
  const [first] = branches
  if (!isRecord(first)) return false
  return textsOf(first['required']).some((name) => {
    const values = branches.map((branch) => constantOf(branch, name))
    return !values.includes(null) && new Set(values).size === branches.length
  })
}

function constantOf(branch: JsonSchema, name: string): string | null {
  if (!isRecord(branch) || !textsOf(branch['required']).includes(name)) return null
  const property = schemasOf(branch['properties']).get(name)
  return isRecord(property) && property['const'] !== undefined ? canonical(property['const']) : null
}
