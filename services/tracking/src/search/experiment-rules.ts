import { numeric, presence, type SearchRules, spellings, textual } from '@millrace/platform/search/search-rules.ts'

const attributes = {
  kind: 'closed',
  entity: 'attribute',
  keys: {
    ...spellings({ name: 'name', value: 'string', comparators: textual, orderable: true }),
    ...spellings({ name: 'creation_time', value: 'number', comparators: numeric, orderable: true }),
    ...spellings({ name: 'last_update_time', value: 'number', comparators: numeric, orderable: true }),
    ...spellings({ name: 'experiment_id', value: 'number', comparators: [], orderable: true }),
  },
} as const
const tags = { kind: 'open', entity: 'tag', field: { name: '', value: 'string', comparators: [...textual, ...presence] } } as const

/** What experiments can be searched and ordered by. The plural `attributes` is none of theirs. */
export const experimentRules: SearchRules = { entities: { attribute: attributes, tag: tags, tags }, bare: attributes }
