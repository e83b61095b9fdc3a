import { eventCatalogue } from '@millrace/contracts/events/catalogue.ts'
import { dataSchemaOf } from '@millrace/contracts/events/event.ts'
import { modelSpec } from '@millrace/contracts/model/model-spec.ts'
import { referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { z } from 'zod'

const print = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Draft 2020-12; a `pattern` beside a `format` is left out, because it is zod's own and changes with it. */
function jsonSchema(schema: z.ZodType, id: string, title: string): Record<string, unknown> {
  const generated = z.toJSONSchema(schema, {
    override: ({ jsonSchema: node }) => {
      if (node.format) delete node.pattern
    },
  })
  return { $id: id, title, ...generated }
}

/** Every generated file of the repository: its path and its content. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const definition of eventCatalogue) {
    const id = dataSchemaOf(definition)
    const schema = { description: definition.description, ...jsonSchema(definition.data, id, definition.name) }
    files.set(`contracts/schemas/events/${new URL(id).pathname.slice(1)}`, print(schema))
  }
  files.set(
    'contracts/schemas/model/millrace-model.json',
    print(jsonSchema(modelSpec, 'https://schemas.millrace.io/millrace-model/1.json', 'millrace-model.json')),
  )
  files.set(
    'contracts/schemas/model/reference-profile.json',
    print(jsonSchema(referenceProfile, 'https://schemas.millrace.io/reference-profile/1.json', 'Reference profile')),
  )
  return files
}
