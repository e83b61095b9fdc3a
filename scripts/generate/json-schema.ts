import { z } from 'zod'

export const print = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Draft 2020-12; a `pattern` beside a `format` is left out, because it is zod's own and changes with it. */
export function jsonSchema(schema: z.ZodType, id: string, title: string): Record<string, unknown> {
  const generated = z.toJSONSchema(schema, {
    override: ({ jsonSchema: node }) => {
      if (node.format) delete node.pattern
    },
  })
  return { $id: id, title, ...generated }
}
