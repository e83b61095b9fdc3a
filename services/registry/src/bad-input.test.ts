import { expect, test } from 'vitest'
import { registered, runningRegistry, servableFiles, transition } from './testing/running-registry.ts'

const missing = (field: string) => `Missing value for required parameter '${field}'. See the API docs for more information about request parameters.`
const clientMistakes: [string, string, object, number, string, string][] = [
  ['POST', 'registered-models/create', {}, 400, 'INVALID_PARAMETER_VALUE', missing('name')],
  ['POST', 'registered-models/create', { name: '  ' }, 400, 'INVALID_PARAMETER_VALUE', missing('name')],
  ['POST', 'registered-models/create', { name: 'a/b' }, 400, 'INVALID_PARAMETER_VALUE', "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
  [
    'POST',
    'registered-models/create',
    { name: 7 },
    400,
    'INVALID_PARAMETER_VALUE',
    "Invalid value 7 for parameter 'name' supplied:  Hint: Value was of type 'int'.",
  ],
  [
    'POST',
    'registered-models/create',
    { name: 'x', tags: [{ key: '../k', value: '' }] },
    400,
    'INVALID_PARAMETER_VALUE',
    "for parameter 'key' supplied: Names",
  ],
  [
    'POST',
    'registered-models/create',
    { name: 'x', tags: [{ key: 'k', value: 'v'.repeat(100_001) }] },
    400,
    'INVALID_PARAMETER_VALUE',
    'exceeds the maximum length of 100000 characters',
  ],
  ['POST', 'registered-models/create', { name: 'x', description: 'nul \u0000' }, 400, 'INVALID_PARAMETER_VALUE', 'cannot be stored'],
  ['POST', 'registered-models/rename', { name: 'fish' }, 400, 'INVALID_PARAMETER_VALUE', missing('new_name')],
  ['POST', 'registered-models/rename', { name: 'no', new_name: 'yes' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=no not found'],
  ['GET', 'registered-models/get', {}, 400, 'INVALID_PARAMETER_VALUE', missing('name')],
  ['GET', 'registered-models/get', { name: 'a:b' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=a:b not found'],
  ['GET', 'registered-models/search', { filter: "name == 'x'" }, 400, 'INVALID_PARAMETER_VALUE', "Invalid comparator '=='"],
  ['GET', 'registered-models/search', { filter: 'name = ' }, 400, 'INVALID_PARAMETER_VALUE', ''],
  [
    'GET',
    'registered-models/search',
    { max_results: 1001 },
    400,
    'INVALID_PARAMETER_VALUE',
    'Invalid value for request parameter max_results. It must be at most 1000, but got value 1001',
  ],
  ['GET', 'registered-models/search', { max_results: 0 }, 400, 'INVALID_PARAMETER_VALUE', 'It must be a positive integer'],
  ['GET', 'registered-models/search', { max_results: 'ten' }, 400, 'INVALID_PARAMETER_VALUE', 'It must be a positive integer'],
  ['GET', 'registered-models/search', { page_token: 'junk' }, 400, 'INVALID_PARAMETER_VALUE', 'Invalid page token'],
  ['GET', 'registered-models/search', { order_by: 'creation_timestamp' }, 400, 'INVALID_PARAMETER_VALUE', 'Invalid attribute key'],
  ['GET', 'model-versions/search', { filter: "source = 'x'" }, 400, 'INVALID_PARAMETER_VALUE', 'Invalid attribute key'],
  [
    'GET',
    'model-versions/search',
    { filter: "run_id NOT IN ('x')" },
    400,
    'INVALID_PARAMETER_VALUE',
    "Only the 'run_id' attribute supports comparison with a list",
  ],
  ['GET', 'model-versions/search', { filter: "name = 'a' OR name = 'b'" }, 400, 'INVALID_PARAMETER_VALUE', 'Invalid clause(s) in filter string'],
  ['GET', 'model-versions/get', { name: 'fish' }, 400, 'INVALID_PARAMETER_VALUE', missing('version')],
  ['GET', 'model-versions/get', { name: 'fish', version: 'one' }, 400, 'INVALID_PARAMETER_VALUE', "Parameter 'version' must be an integer, got 'one'."],
  [
    'GET',
    'model-versions/get',
    { name: 'fish', version: '99999999999' },
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Model Version (name=fish, version=99999999999) not found',
  ],
  ['GET', 'model-versions/get', { name: 'fish', version: '-1' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Model Version (name=fish, version=-1) not found'],
  ['GET', 'model-versions/get', { name: 'none', version: '1' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=none not found'],
  ['POST', 'model-versions/create', { name: 'fish' }, 400, 'INVALID_PARAMETER_VALUE', missing('source')],
  ['POST', 'model-versions/create', { name: 'none', source: 'runs:/a/b' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=none not found'],
  [
    'POST',
    'model-versions/create',
    { name: 'fish', source: 'file:///etc/passwd', run_id: 'r' },
    400,
    'INVALID_PARAMETER_VALUE',
    'To use a local path as a model version',
  ],
  [
    'POST',
    'model-versions/create',
    { name: 'fish', source: 'mlflow-artifacts:/1/%252e%252e/2' },
    400,
    'INVALID_PARAMETER_VALUE',
    'without relative path references',
  ],
  ['POST', 'model-versions/create', { name: 'fish', source: 'models:/none/1' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=none not found'],
  [
    'POST',
    'model-versions/create',
    { name: 'fish', source: 'models:/fish/9' },
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Model Version (name=fish, version=9) not found',
  ],
  [
    'POST',
    'model-versions/create',
    { name: 'fish', source: 'models:/fish@nobody' },
    400,
    'INVALID_PARAMETER_VALUE',
    'Registered model alias nobody not found.',
  ],
  ['POST', 'model-versions/transition-stage', { name: 'fish', version: '1' }, 400, 'INVALID_PARAMETER_VALUE', missing('stage')],
  [
    'POST',
    'model-versions/transition-stage',
    { name: 'fish', version: '1', stage: 'Live' },
    400,
    'INVALID_PARAMETER_VALUE',
    'Invalid Model Version stage: Live. Value must be one of None, Staging, Production, Archived.',
  ],
  [
    'POST',
    'model-versions/transition-stage',
    { name: 'fish', version: '9', stage: 'Staging' },
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Model Version (name=fish, version=9) not found',
  ],
  [
    'POST',
    'model-versions/transition-stage',
    { name: 'fish', version: '1', stage: 'None', archive_existing_versions: true },
    400,
    'INVALID_PARAMETER_VALUE',
    "because 'None' is not an Active stage",
  ],
  [
    'POST',
    'model-versions/transition-stage',
    { name: 'fish', version: '1', stage: 'Staging', expected_generation: 5 },
    409,
    'STALE_GENERATION',
    'is at generation 0',
  ],
  ['POST', 'registered-models/alias', { name: 'fish', alias: 'v1', version: '1' }, 400, 'INVALID_PARAMETER_VALUE', "Version alias name 'v1' is reserved."],
  [
    'POST',
    'registered-models/alias',
    { name: 'fish', alias: 'Latest', version: '1' },
    400,
    'INVALID_PARAMETER_VALUE',
    "'latest' alias name (case insensitive) is reserved.",
  ],
  [
    'POST',
    'registered-models/alias',
    { name: 'fish', alias: 'a', version: '9' },
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Model Version (name=fish, version=9) not found',
  ],
  ['GET', 'registered-models/alias', { name: 'fish', alias: 'nobody' }, 400, 'INVALID_PARAMETER_VALUE', 'Registered model alias nobody not found.'],
  ['POST', 'registered-models/get-latest-versions', { name: 'fish', stages: ['Live'] }, 400, 'INVALID_PARAMETER_VALUE', 'Invalid Model Version stage: Live.'],
  ['DELETE', 'model-versions/delete', { name: 'fish', version: '9' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Model Version (name=fish, version=9) not found'],
  ['DELETE', 'registered-models/delete', { name: 'none' }, 404, 'RESOURCE_DOES_NOT_EXIST', 'Registered Model with name=none not found'],
  [
    'POST',
    'model-versions/set-tag',
    { name: 'fish', version: '9', key: 'k', value: 'v' },
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Model Version (name=fish, version=9) not found',
  ],
  ['POST', 'model-versions/set-tag', { name: 'fish', version: '1', value: 'v' }, 400, 'INVALID_PARAMETER_VALUE', missing('key')],
]

const candidate = { version: '2', mode: 'canary', weightPercent: 10 }
const ownMistakes: [string, string, object | undefined, number, string][] = [
  ['GET', '/api/v1/models/none', undefined, 404, 'Registered Model with name=none not found'],
  ['GET', '/api/v1/models/a%2Fb', undefined, 400, "a name without '/', ':'"],
  ['GET', '/api/v1/models/fish/versions/9', undefined, 404, 'Model Version (name=fish, version=9) not found'],
  ['GET', '/api/v1/models/fish/versions/one', undefined, 400, "a version number such as '3'"],
  ['GET', '/api/v1/models/fish/versions/9/lineage', undefined, 404, 'Model Version (name=fish, version=9) not found'],
  ['GET', '/api/v1/models/none/audit', undefined, 404, 'Registered Model with name=none not found'],
  ['GET', '/api/v1/models/fish/audit?limit=0', undefined, 400, 'limit'],
  ['GET', '/api/v1/models/fish/audit?page=2', undefined, 400, 'unknown field "page"'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [] }, 400, 'expectedGeneration: is missing'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [candidate], expectedGeneration: 1, extra: 1 }, 400, 'unknown field "extra"'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [{ ...candidate, mode: 'blue' }], expectedGeneration: 1 }, 400, 'candidates[0].mode'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [{ ...candidate, weightPercent: 101 }], expectedGeneration: 1 }, 400, 'candidates[0].weightPercent'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [{ ...candidate, version: '1' }], expectedGeneration: 1 }, 400, 'is in Production'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [{ ...candidate, version: '9' }], expectedGeneration: 1 }, 404, 'version=9) not found'],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [], expectedGeneration: 0 }, 409, 'is at generation 1'],
  ['POST', '/api/v1/models/fish/rollback', {}, 400, 'reason: is missing'],
  ['POST', '/api/v1/models/fish/rollback', { reason: 'x', version: '2' }, 400, 'never in Production'],
  ['POST', '/api/v1/models/none/rollback', { reason: 'x' }, 404, 'Registered Model with name=none not found'],
]

test('what MLflow clients get wrong is answered in the words they know, and nothing is lost', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { mlflow } = registry
  for (const [method, path, fields, status, code, message] of clientMistakes) {
    const answer = await mlflow(method, path, { ...fields })
    expect({ path, fields, status: answer.status, ...answer.body }).toMatchObject({
      path,
      fields,
      status,
      error_code: code,
      message: expect.stringContaining(message),
    })
  }
  expect((await mlflow('GET', 'registered-models/search')).body).toMatchObject({
    registered_models: [{ name: 'fish', latest_versions: [{ version: '1', status: 'READY' }] }],
  })
})

test("Millrace's own routes refuse what they do not know and say what was expected", async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  for (const [method, path, body, status, detail] of ownMistakes) {
    const answer = await registry.send(method, path, body ? { body } : {})
    expect({ path, body, ...answer.body }).toMatchObject({ path, body, status, detail: expect.stringContaining(detail) })
  }
  expect((await registry.send('GET', '/api/v1/models/fish')).body).toMatchObject({ generation: 1, production: { version: '1' } })
})

test('a key that is no key is refused', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const answer = await transition(registry, 1, 'Staging', { headers: { 'idempotency-key': 'x'.repeat(256) } })
  expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('idempotency-key') } })
})

test.each([
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [], expectedGeneration: 0 }],
  ['POST', '/api/v1/models/fish/rollback', { reason: 'x' }],
])('%s %s needs the right to promote', async (method, path, body) => {
  const registry = await runningRegistry()
  await registered(registry)
  expect((await registry.send(method, path, { body, role: 'editor' })).status).toBe(403)
})

test('null is as good as nothing where a field may be left out', async () => {
  const { mlflow, tracking } = await runningRegistry()
  expect((await mlflow('POST', 'registered-models/create', { name: 'fish', tags: null, description: null })).status).toBe(200)
  await tracking.put('runs:/r/model', servableFiles())
  const nothing = { run_id: null, model_id: null, run_link: null, description: null, tags: null }
  const created = await mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r/model', ...nothing })
  expect(created.body).toMatchObject({ model_version: { status: 'READY', description: '', run_link: '' } })
  expect(
    (await mlflow('POST', 'model-versions/transition-stage', { name: 'fish', version: 1, stage: 'Staging', archive_existing_versions: null })).status,
  ).toBe(200)
})
