import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  const tags = Object.entries({ order: '1', group: '1', max: '1', 'a.b': '2', ключ: '3', 't-1/x:y': '4' }).map(([key, value]) => ({ key, value }))
  const runId = (await call('POST', 'runs/create', { body: { experiment_id: '0', run_name: 'it', tags } })).text('run', 'info', 'run_id')
  const metrics = Object.entries({ m: 1, 'a.b': 0.5, '1a': -1 }).map(([key, value]) => ({ key, value, timestamp: 1 }))
  const params = Object.entries({ two: "it''s", one: "it's", back: 'a\\b' }).map(([key, value]) => ({ key, value }))
  await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics, params } })
})
afterAll(() => tracking.stop())

const search = (filter: string) => call('POST', 'runs/search', { body: { experiment_ids: ['0'], filter } })

test.each([
  '',
  'metrics.m\n=\n1',
  "tags.order = '1' and tags.group = '1' AnD tags.max = '1'",
  "tags.a.b = '2'",
  'metrics.a.b < 1',
  'metrics.1a = -1',
  "tags.ключ = '3'",
  "tags.`t-1/x:y` = '4'",
  'tags."t-1/x:y" = "4"',
  "tags.'order' = '1'",
  "`tags`.order = '1'",
  "params.two = 'it''s'",
  'params.one = "it\'s"',
  'metrics.m > .5',
  'metrics.m >= 1.',
  'metrics.m > 1e-3',
  "params.two ilike 'IT%'",
  "params.back = 'a\\b'",
  "params.back LIKE 'a\\b'",
  "params.back LIKE 'a_b'",
  "run_id NOT IN ('X')",
  "status = 'RUNNING'",
  "attribute.run_name = 'it' AND attributes.`Run Name` = 'it' AND run.run_name = 'it' AND attr.`run name` = 'it'",
  'params.none IS NULL',
  'tags.order IS NOT  NULL',
])('%j finds the run', async (filter) => {
  const answer = await search(filter)
  expect(answer.text('message')).toBe('')
  expect(answer.text('runs', 0, 'info', 'run_name')).toBe('it')
})

test.each(["params.two LIKE 'IT%'", "status = 'running'", "params.none != 'x'", 'metrics.m = -1', "run_id IN ('ABC','b')", "dataset.name = 'none'"])(
  '%j finds nothing',
  async (filter) => {
    expect(await search(filter)).toMatchObject({ status: 200, json: {} })
  },
)

test.each([
  ['metrics.m = 1 OR metrics.m = 2', 'Invalid clause(s) in filter string'],
  ['NOT metrics.m = 1', 'Invalid clause(s) in filter string'],
  ['(metrics.m = 1)', 'Invalid clause(s) in filter string'],
  ['metrics.m = 1 -- comment', 'Invalid clause(s) in filter string'],
  ['metrics.m = 1 && metrics.m = 1', 'Invalid clause(s) in filter string'],
  ['metrics.m BETWEEN 1 AND 2', 'Invalid clause(s) in filter string'],
  ["params.1 = 'x'", 'Invalid clause(s) in filter string'],
  ['metrics.m = 1; metrics.m = 2', 'Search filter contained multiple expression'],
  ["PARAMS.p = 'x'", "Invalid entity type 'PARAMS'"],
  ["foo.bar = 'x'", "Invalid entity type 'foo'"],
  ['params.p = x', 'Parameter value is either not quoted or unidentified quote types used for string value x'],
  ['params.p = `x`', 'Parameter value is either not quoted or unidentified quote types used for string value `x`'],
  ['metrics.m = +1', 'Expected numeric value type for metric'],
  ['metrics.m = 0x10', 'Expected numeric value type for metric'],
  ['metrics.m = NaN', 'Expected numeric value type for metric'],
  ["metrics.m = '1'", 'Expected numeric value type for metric'],
  ['metrics.m == 1', "Invalid comparator '=='"],
  ['metrics.m <> 1', "Invalid comparator '<>'"],
  ["params.p NOT LIKE 'x'", "Invalid comparator 'NOT LIKE'"],
  ["params.p ~ 'x'", "Invalid comparator '~'"],
  ["metrics.m LIKE 'x'", "Invalid comparator 'LIKE'"],
  ["start_time LIKE 'x'", "Invalid comparator 'LIKE'"],
  ['1=1', "Expected 'Identifier' found"],
  ['run_id IN ()', 'expected a non-empty list of string values, but got empty list'],
  ["run_id IN ('a',,'b')", 'expected a non-empty list of string values, but got ill-formed list'],
  ["run_id IN ('a',)", 'but got ill-formed list'],
  ['run_id IN (1,2)', 'expected string value, punctuation, or whitespace, but got different type in list'],
  ["status IN ('RUNNING')", "Only the 'run_id' attribute supports comparison with a list of quoted string values."],
  ["experiment_id = '0'", "Invalid attribute key 'experiment_id'"],
  ["lifecycle_stage = 'active'", "Invalid attribute key 'lifecycle_stage'"],
  ['duration > 1', "Invalid attribute key 'duration'"],
  ["dataset.foo = 'x'", "Invalid dataset key 'foo'"],
])('%j is refused with %j', async (filter, message) => {
  const answer = await search(filter)
  expect([answer.status, answer.text('error_code')]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
  expect(answer.text('message')).toContain(message)
})
