import { type FieldRule, listed, numeric, presence, type SearchRules, spellings, textual } from './search-rules.ts'

const runId: FieldRule = { name: 'run_id', value: 'string', comparators: [...textual, ...listed] }
const runName: FieldRule = { name: 'run_name', value: 'string', comparators: textual, orderable: true }
const startTime: FieldRule = { name: 'start_time', value: 'number', comparators: numeric, orderable: true }
const version: FieldRule = { name: 'version_number', value: 'number', comparators: numeric, quotedNumber: true }
const duration: FieldRule = { name: 'duration', value: 'number', comparators: [], orderable: true }

const bare = {
  kind: 'closed',
  entity: 'attribute',
  keys: { ...spellings(runId), ...spellings(runName, 'Run name'), ...spellings(startTime, 'created'), ...spellings(version), ...spellings(duration) },
} as const
const metric = { kind: 'open', entity: 'metric', field: { name: '', value: 'number', comparators: numeric, orderable: true } } as const
const param = { kind: 'open', entity: 'param', field: { name: '', value: 'string', comparators: [...textual, ...presence], orderable: true } } as const

/** Small rules with one of everything, for the tests of this folder. */
export const exampleRules: SearchRules = {
  entities: { attribute: bare, metrics: metric, metric, params: param, tags: { ...param, entity: 'tag' } },
  bare,
  listRefusal: "Only the 'run_id' attribute supports comparison with a list of quoted string values.",
}
