import { type FieldRule, listed, numeric, presence, type SearchRules, spellings, textual } from '@millrace/platform/search/search-rules.ts'

const text = (name: string): FieldRule => ({ name, value: 'string', comparators: textual, orderable: true })
const time = (name: string): FieldRule => ({ name, value: 'number', comparators: numeric, orderable: true })
const set = (name: string): FieldRule => ({ name, value: 'string', comparators: [...textual, ...listed] })

const attributes = {
  kind: 'closed',
  entity: 'attribute',
  keys: {
    ...spellings({ ...text('run_id'), comparators: [...textual, ...listed] }),
    ...spellings(text('run_name'), 'Run name', 'run name', 'Run Name'),
    ...spellings(text('status')),
    ...spellings(text('user_id')),
    ...spellings(text('artifact_uri')),
    ...spellings(time('start_time'), 'created', 'Created'),
    ...spellings(time('end_time')),
  },
} as const
const datasets = { kind: 'closed', entity: 'dataset', keys: { ...spellings(set('name')), ...spellings(set('digest')), ...spellings(set('context')) } } as const
const metrics = { kind: 'open', entity: 'metric', field: { name: '', value: 'number', comparators: numeric, orderable: true } } as const
const texts: FieldRule = { name: '', value: 'string', comparators: [...textual, ...presence], orderable: true }
const params = { kind: 'open', entity: 'param', field: texts } as const
const tags = { kind: 'open', entity: 'tag', field: texts } as const

/** What runs can be searched and ordered by. */
export const runRules: SearchRules = {
  entities: {
    metric: metrics,
    metrics,
    param: params,
    params,
    parameter: params,
    parameters: params,
    tag: tags,
    tags,
    attribute: attributes,
    attributes,
    attr: attributes,
    run: attributes,
    dataset: datasets,
    datasets,
  },
  bare: attributes,
  listRefusal: "Only the 'run_id' attribute supports comparison with a list of quoted string values.",
}
