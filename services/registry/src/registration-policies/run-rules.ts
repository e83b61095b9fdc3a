import { type FieldRule, listed, numeric, presence, type SearchRules, spellings, textual } from '@millrace/platform/search/search-rules.ts'

const text = (name: string): FieldRule => ({ name, value: 'string', comparators: [...textual, ...listed] })
const attribute = {
  kind: 'closed',
  entity: 'attribute',
  keys: {
    ...spellings(text('run_id')),
    ...spellings(text('run_name'), 'Run name'),
    ...spellings(text('user_id')),
    ...spellings(text('experiment_id')),
  },
} as const
const metric = { kind: 'open', entity: 'metric', field: { name: '', value: 'number', comparators: [...numeric, ...presence] } } as const
const param = { kind: 'open', entity: 'param', field: { name: '', value: 'string', comparators: [...textual, ...presence] } } as const
const tag = { ...param, entity: 'tag' } as const

/** What a policy may ask of a finished run: MLflow's filter over runs, as far as RunFinished tells of them. */
export const runRules: SearchRules = {
  entities: { attribute, attributes: attribute, metric, metrics: metric, param, params: param, parameter: param, parameters: param, tag, tags: tag },
  bare: attribute,
}
