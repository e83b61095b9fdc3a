/** A JSON Schema (draft 2020-12) as it was parsed from its file. */
export type JsonSchema = boolean | SchemaObject
export interface SchemaObject {
  readonly [keyword: string]: unknown
}

/** Where two schemas disagree: a JSON path of the data, such as `$.artifact.sha256`, and what is wrong there. */
export interface Problem {
  readonly path: string
  readonly message: string
}

export const problem = (path: string, message: string): readonly Problem[] => [{ path, message }]

export const isRecord = (value: unknown): value is SchemaObject => typeof value === 'object' && value !== null && !Array.isArray(value)
export const isSchema = (value: unknown): value is JsonSchema => typeof value === 'boolean' || isRecord(value)

/** The members of a keyword that maps names to schemas; what is no schema is left to the keyword check. */
export function schemasOf(value: unknown): ReadonlyMap<string, JsonSchema> {
  const entries = isRecord(value) ? Object.entries(value) : []
  return new Map(entries.flatMap(([name, schema]): [string, JsonSchema][] => (isSchema(schema) ? [[name, schema]] : [])))
}

export const listOf = (value: unknown): readonly JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : [])
export const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])

/** JSON with sorted keys: equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === undefined) return 'absent'
  if (!isRecord(value)) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}
