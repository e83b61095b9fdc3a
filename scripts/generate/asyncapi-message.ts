import { readdirSync, readFileSync } from 'node:fs'
import { dataSchemaOf, type EventDefinition } from '@millrace/contracts/events/event.ts'
import { topics } from '@millrace/contracts/events/topics.ts'
import { eventSchemaOf } from './event-schemas.ts'

const golden = new URL('../../contracts/golden/', import.meta.url)
/** Where JSON Schema 2020-12 and AsyncAPI's own dialect (a superset of draft-07) part. */
const DIFFERS = /"(\$ref|\$defs|prefixItems)":/

const text = (description: string, rest: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  type: 'string',
  description,
  ...rest,
})

function headersOf(definition: EventDefinition): Readonly<Record<string, unknown>> {
  const properties = {
    'content-type': text('Of the value.', { const: 'application/json' }),
    ce_specversion: text('CloudEvents version.', { const: '1.0' }),
    ce_id: text('UUIDv7. With `ce_source` the same on every redelivery.'),
    ce_source: text('The service that published it.', { format: 'uri-reference' }),
    ce_type: text('Wire name with the major version.', { const: definition.type }),
    ce_subject: text(`The aggregate (${topics[definition.topic].key}); also the record's key.`),
    ce_time: text('When it happened.', { format: 'date-time' }),
    ce_dataschema: text('JSON Schema of the value, with the minor version.', { format: 'uri', examples: [dataSchemaOf(definition)] }),
    ce_partitionkey: text('As `ce_subject`.'),
    ce_traceparent: text('W3C trace context of what caused the event.'),
    ce_sequence: text('Order of commits of one writer: compare as text.'),
  }
  const optional = ['ce_traceparent', 'ce_sequence']
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)), additionalProperties: true }
}

/** The payload schema without what identifies it as a document. @throws Error where it uses what AsyncAPI's dialect reads otherwise */
function payloadOf(definition: EventDefinition): Readonly<Record<string, unknown>> {
  const { $id: _id, $schema: _schema, description: _description, title: _title, ...payload } = eventSchemaOf(definition)
  const differs = DIFFERS.exec(JSON.stringify(payload))
  if (differs) throw new Error(`${definition.type}: ${differs[1]} must be translated for AsyncAPI first`)
  return payload
}

/** Golden examples of the present minor, of the one before where there is none. */
function examplesOf({ type }: EventDefinition): readonly Readonly<Record<string, unknown>>[] {
  const minors = readdirSync(new URL(`${type}/`, golden)).toSorted((a, b) => Number(b) - Number(a))
  const folder = new URL(`${type}/${minors[0]}/`, golden)
  const files = readdirSync(folder).toSorted((a, b) => (a < b ? -1 : 1))
  return files.map((file) => ({ name: file.replace(/\.json$/, ''), payload: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) }))
}

export function messageOf(definition: EventDefinition): Readonly<Record<string, unknown>> {
  const { name, type, description, topic } = definition
  return {
    name,
    title: type,
    summary: description,
    contentType: 'application/json',
    headers: headersOf(definition),
    payload: payloadOf(definition),
    examples: examplesOf(definition),
    bindings: { kafka: { key: text(topics[topic].key), bindingVersion: '0.5.0' } },
  }
}
