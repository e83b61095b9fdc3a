import { eventCatalogue } from '@millrace/contracts/events/catalogue.ts'
import { dataSchemaOf, type EventDefinition } from '@millrace/contracts/events/event.ts'
import { jsonSchema, print } from './json-schema.ts'

export const schemaPathOf = (definition: EventDefinition): string => `contracts/schemas/events/${new URL(dataSchemaOf(definition)).pathname.slice(1)}`

export function eventSchemaOf(definition: EventDefinition): Record<string, unknown> {
  return { description: definition.description, ...jsonSchema(definition.data, dataSchemaOf(definition), definition.name) }
}

/** The schema of each event's present minor, by path. Earlier minors stay on disk as they were published. */
export function eventSchemas(): Map<string, string> {
  return new Map(eventCatalogue.map((definition) => [schemaPathOf(definition), print(eventSchemaOf(definition))]))
}
