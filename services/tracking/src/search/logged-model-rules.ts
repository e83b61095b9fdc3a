import { type FieldRule, listed, numeric, type SearchRules, spellings, textual } from '@millrace/platform/search/search-rules.ts'

const text = (name: string): FieldRule => ({ name, value: 'string', comparators: [...textual, ...listed], orderable: true })
const time = (name: string): FieldRule => ({ name, value: 'number', comparators: numeric, orderable: true })

const attributes = {
  kind: 'closed',
  entity: 'attribute',
  keys: {
    ...spellings(text('name')),
    ...spellings(text('model_id')),
    ...spellings(text('model_type')),
    ...spellings(text('status')),
    ...spellings(text('source_run_id')),
    ...spellings(text('experiment_id')),
    ...spellings(time('creation_timestamp'), 'creation_timestamp_ms', 'creation_time'),
    ...spellings(time('last_updated_timestamp'), 'last_updated_timestamp_ms'),
  },
} as const
const metrics = { kind: 'open', entity: 'metric', field: { name: '', value: 'number', comparators: numeric, orderable: true } } as const
const texts: FieldRule = { name: '', value: 'string', comparators: [...textual, ...listed] }
const params = { kind: 'open', entity: 'param', field: texts } as const
const tags = { kind: 'open', entity: 'tag', field: texts } as const

/** What logged models can be searched and ordered by. */
export const loggedModelRules: SearchRules = {
  entities: { attributes, metrics, params, tags },
  bare: attributes,
  trailingComma: true,
}
