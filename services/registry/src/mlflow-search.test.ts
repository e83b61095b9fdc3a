import { beforeAll, describe, expect, test } from 'vitest'
import { type RunningRegistry, registered, runningRegistry, servableFiles } from './testing/running-registry.ts'

const PROMPT = 'mlflow.prompt.is_prompt'

/** Models with tags, versions with runs, and prompts; one of the models says of itself that it is none. */
async function stocked(atEnd: (work: () => Promise<void>) => void): Promise<RunningRegistry> {
  const registry = await runningRegistry({}, { atEnd })
  const { mlflow, tracking } = registry
  const model = (name: string, tags: Record<string, string>) =>
    mlflow('POST', 'registered-models/create', { name, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) })
  await model('Abc', { t1: 'abcx', rate: '50%' })
  await model('a', { t1: 'abcd', 'a-b': 'dash', [PROMPT]: 'false' })
  await model('ab', { t1: 'zzz', rate: '500', order: '1', größe: 'x', 'with space': 'y' })
  await model('ask', { [PROMPT]: 'true' })
  for (const [name, version] of [
    ['a', 1],
    ['a', 2],
    ['Abc', 1],
  ] as const) {
    const source = `runs:/${name}-${version}/model`
    await tracking.put(source, servableFiles(source))
    await mlflow('POST', 'model-versions/create', { name, source, run_id: `${name}-${version}`, tags: [{ key: 'q', value: `${name}${version}` }] })
  }
  await mlflow('POST', 'model-versions/create', { name: 'ask', source: 'dummy', tags: [{ key: PROMPT, value: 'true' }] })
  return registry
}

const listOf = (body: Record<string, unknown>, field: string): Record<string, unknown>[] => {
  const list = body[field]
  return Array.isArray(list) ? list : []
}

describe('a stocked registry', () => {
  let registry: RunningRegistry
  const models = async (fields: object) => {
    const { body } = await registry.mlflow('GET', 'registered-models/search', { ...fields })
    return body['error_code'] ? body : listOf(body, 'registered_models').map(({ name }) => name)
  }
  const versions = async (fields: object) => {
    const { body } = await registry.mlflow('GET', 'model-versions/search', { ...fields })
    return body['error_code'] ? body : listOf(body, 'model_versions').map(({ name, version }) => `${name}/${version}`)
  }
  beforeAll(async () => {
    const ends: (() => Promise<void>)[] = []
    registry = await stocked((work) => ends.unshift(work))
    return async () => {
      for (const end of ends) await end()
    }
  })

  test.each([
    ['', ['Abc', 'a', 'ab']],
    ["name = 'a'", ['a']],
    ['attribute.name = "a"', ['a']],
    ["name != 'a'", ['Abc', 'ab']],
    ["name LIKE 'a%'", ['a', 'ab']],
    ["name ilike 'A%'", ['Abc', 'a', 'ab']],
    ["name LIKE 'a_'", ['ab']],
    ["name = 'a' AND name = 'ab'", []],
    ["tags.t1 = 'abcd'", ['a']],
    ["tag.t1 != 'abcd' AND tag.t1 LIKE 'ab%'", ['Abc']],
    ["tags.t1 = 'abcd' and tags.t1 = 'zzz'", []],
    ["tags.rate = '50%'", ['Abc']],
    ["tags.rate LIKE '50%'", ['Abc', 'ab']],
    ["tags.`a-b` = 'dash'", ['a']],
    ['tags."with space" = \'y\'', ['ab']],
    ["tags.order = '1'", ['ab']],
    ["tags.größe = 'x'", ['ab']],
    ['tags.rate IS NULL', ['a']],
    ['tags.rate IS  NOT   NULL', ['Abc', 'ab']],
    ["tags.missing != 'x'", []],
    [`tags.\`${PROMPT}\` = 'true'`, ['ask']],
    [`tags.\`${PROMPT}\` != 'false'`, ['ask']],
    [`tags.\`${PROMPT}\` != 'true'`, ['Abc', 'a', 'ab']],
    [`tags.\`${PROMPT}\` = 'false'`, ['Abc', 'a', 'ab']],
    [`name LIKE 'a%' AND tag.\`${PROMPT}\` != 'true'`, ['a', 'ab']],
    [`tags.\`${PROMPT}\` = 'true' AND name = 'a'`, []],
  ])('models found by %j are %j', async (filter, expected) => {
    expect(await models({ filter })).toEqual(expected)
  })

  test.each([
    ['', ['Abc/1', 'a/1', 'a/2']],
    ["name = 'a'", ['a/1', 'a/2']],
    ["source_path = 'runs:/a-1/model'", ['a/1']],
    ["source_path LIKE 'runs:/a-%'", ['a/1', 'a/2']],
    ["run_id = 'a-2'", ['a/2']],
    ["run_id IN ('a-1', 'Abc-1')", ['Abc/1', 'a/1']],
    ['version_number > 1', ['a/2']],
    ["version_number = '2'", ['a/2']],
    ['version_number != 1', ['a/2']],
    ["tags.q = 'a1'", ['a/1']],
    ["tags.q ILIKE 'A%'", ['Abc/1', 'a/1', 'a/2']],
    ["stage = 'None'", ['Abc/1', 'a/1', 'a/2']],
    ["current_stage != 'none'", []],
    [`tags.\`${PROMPT}\` = 'true'`, ['ask/1']],
  ])('versions found by %j are %j', async (filter, expected) => {
    expect(await versions({ filter, order_by: ['name', 'version_number ASC'] })).toEqual(expected)
  })

  test.each([
    ['registered-models', "name = 'a' OR name = 'b'", 'Invalid clause(s) in filter string'],
    ['registered-models', "NOT name = 'a'", 'Invalid clause(s) in filter string'],
    ['registered-models', "(name = 'a')", 'Invalid clause(s) in filter string'],
    ['registered-models', "name = 'a'; name = 'b'", 'Search filter contained multiple expression'],
    ['registered-models', ' ', 'Invalid filter'],
    ['registered-models', "1 = '1'", "Expected 'Identifier' found"],
    ['registered-models', 'name = a', 'Parameter value is either not quoted or unidentified quote types'],
    ['registered-models', 'name = `a`', 'Parameter value is either not quoted or unidentified quote types'],
    ['registered-models', "name <> 'a'", 'Invalid comparator'],
    ['registered-models', "name NOT LIKE 'a'", 'Invalid comparator'],
    ['registered-models', "name > 'a'", 'Invalid comparator'],
    ['registered-models', "name IN ('a')", 'Invalid comparator'],
    ['registered-models', "TAGS.a = 'a'", 'Invalid entity type'],
    ['registered-models', "user_id = 'ana'", 'Invalid attribute key'],
    ['model-versions', 'run_id IN ()', 'expected a non-empty list of string values, but got empty list'],
    ['model-versions', "run_id IN ('a',,'b')", 'ill-formed list'],
    ['model-versions', 'run_id IN (1,2)', 'expected string value, punctuation, or whitespace, but got different type in list'],
    ['model-versions', "name IN ('a')", "Only the 'run_id' attribute supports comparison with a list of quoted string values."],
    ['model-versions', "version_number = 'one'", 'numeric'],
    ...['version', 'source', 'status', 'aliases', 'user_id', 'creation_timestamp'].map((key) => ['model-versions', `${key} = '1'`, 'Invalid attribute key']),
  ])('%s answers 400 to the filter %j', async (path, filter, message) => {
    const answer = await registry.mlflow('GET', `${path}/search`, { filter })
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(message ?? '') } })
  })

  test.each([
    [['name'], ['Abc', 'a', 'ab']],
    [['name desc'], ['ab', 'a', 'Abc']],
    [
      ['timestamp ASC', 'name'],
      ['ab', 'a', 'Abc'],
    ],
    [['attribute.last_updated_timestamp DESC'], ['Abc', 'a', 'ab']],
  ])('models ordered by %j are %j', async (order_by, expected) => {
    expect(await models({ order_by })).toEqual(expected)
  })

  test('without an order models come by name, versions by their last change', async () => {
    expect(await models({})).toEqual(['Abc', 'a', 'ab'])
    expect(await versions({})).toEqual(['Abc/1', 'a/2', 'a/1'])
  })

  test.each([
    ['name, name', 'Invalid order_by clause'],
    ['name SIDEWAYS', 'Invalid order_by clause'],
    ['tags.a', 'Invalid'],
    ['creation_time', 'Invalid attribute key'],
  ])('the order %j is refused', async (order_by, message) => {
    expect(await models({ order_by })).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(message) })
  })

  test('one name twice in an order is refused', async () => {
    expect(await models({ order_by: ['name', 'name DESC'] })).toMatchObject({ message: '`order_by` contains duplicate fields: attribute.name' })
  })

  test('a page ends with a token only where another row follows, and pages put together are the whole', async () => {
    const page = async (fields: object) => (await registry.mlflow('GET', 'registered-models/search', { max_results: 2, page_token: '', ...fields })).body
    const first = await page({})
    const second = await page({ page_token: first['next_page_token'] })
    const read = [...listOf(first, 'registered_models'), ...listOf(second, 'registered_models')]
    expect(read.map(({ name }) => name)).toEqual(['Abc', 'a', 'ab'])
    expect(second).not.toHaveProperty('next_page_token')
    expect(await page({ max_results: 3 })).not.toHaveProperty('next_page_token')
  })

  test('a token of another order is refused', async () => {
    const { body } = await registry.mlflow('GET', 'registered-models/search', { max_results: 1 })
    const answer = await registry.mlflow('GET', 'registered-models/search', { max_results: 1, order_by: 'timestamp', page_token: body['next_page_token'] })
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('Invalid page token') } })
  })

  test.each([
    ['registered-models', 1000, 1001],
    ['model-versions', 200_000, 200_001],
  ])('%s takes pages of up to %d', async (path, most, more) => {
    expect(await registry.mlflow('GET', `${path}/search`, { max_results: most })).toMatchObject({ status: 200 })
    const message = `Invalid value for request parameter max_results. It must be at most ${most}, but got value ${more}`
    expect(await registry.mlflow('GET', `${path}/search`, { max_results: more })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining(message) },
    })
    for (const max_results of [0, -1]) {
      expect(await registry.mlflow('GET', `${path}/search`, { max_results })).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('positive integer') },
      })
    }
  })

  test('the list of models that older guides use is the search', async () => {
    const listed = await registry.mlflow('GET', 'registered-models/list', { max_results: 100 })
    expect(listOf(listed.body, 'registered_models').map(({ name }) => name)).toEqual(['Abc', 'a', 'ab'])
  })
})

test('deleted versions are found by nobody', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  const { body } = await registry.mlflow('GET', 'model-versions/search', { filter: "name = 'fish'" })
  expect(listOf(body, 'model_versions').map(({ version }) => version)).toEqual(['1'])
})
