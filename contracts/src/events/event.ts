import type { z } from 'zod'
import type { TopicName } from './topics.ts'

/** One event type: its wire name, domain name, schema version, topic and data schema. Readers tolerate unknown fields, so `data` is a loose object. */
export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly type: `io.millrace.${string}.v${number}`
  readonly minor: number
  readonly topic: TopicName
  readonly description: string
  readonly data: Data
  /** Places in the data, such as `$.artifact.url`, that no minor may use: names that were retired, or that others use for their own. */
  readonly reserved?: readonly string[]
}

export function defineEvent<Data extends z.ZodType>(definition: EventDefinition<Data>): EventDefinition<Data> {
  return definition
}

export type DataOf<Definition> = Definition extends EventDefinition<infer Data> ? z.infer<Data> : never

/** A decoded event as handlers see it. `id` is the same on every redelivery; `subject` is the aggregate's id and the key on its topic. */
export interface Event<Data = unknown> {
  readonly id: string
  readonly type: string
  readonly source: string
  readonly subject: string
  readonly time: Date
  readonly data: Data
}

/** Where the JSON Schemas live: `<SCHEMA_BASE>/<type>/<major>.<minor>.json`. */
const SCHEMA_BASE = 'https://schemas.millrace.io'

export function dataSchemaOf(definition: EventDefinition): string {
  const major = definition.type.slice(definition.type.lastIndexOf('.v') + 2)
  return `${SCHEMA_BASE}/${definition.type}/${major}.${definition.minor}.json`
}
