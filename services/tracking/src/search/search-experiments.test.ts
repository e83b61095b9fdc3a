import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  for (const name of ['a', 'ab', 'Abc']) {
    tracking.value.clock.advance(1000)
    await call('POST', 'experiments/create', { body: { name, tags: [{ key: 'long', value: String(name.length > 1) }] } })
  }
})
afterAll(() => tracking.stop())

const names = (answer: Awaited<ReturnType<typeof call>>): string[] =>
  [0, 1, 2, 3, 4].map((index) => answer.text('experiments', index, 'name')).filter((name) => name !== '')

async function find(search: object): Promise<string[]> {
  const found: string[] = []
  let token = ''
  do {
    const answer = await call('POST', 'experiments/search', { body: { max_results: 2, page_token: token, ...search } })
    expect(answer.status, answer.text('message')).toBe(200)
    found.push(...names(answer))
    token = answer.text('next_page_token')
  } while (token !== '')
  return found
}

test.each([
  [{}, ['Abc', 'ab', 'a', 'Default']],
  [{ order_by: ['name'] }, ['Abc', 'Default', 'a', 'ab']],
  [{ order_by: ['name DESC'] }, ['ab', 'a', 'Default', 'Abc']],
  [{ order_by: ['experiment_id'] }, ['Default', 'a', 'ab', 'Abc']],
  [{ filter: "name ILIKE 'ab%'" }, ['Abc', 'ab']],
  [{ filter: "attribute.name LIKE 'ab%'" }, ['ab']],
  [{ filter: "tags.long = 'true' AND name != 'ab'" }, ['Abc']],
  [{ filter: 'tag.long IS NULL' }, ['Default']],
])('the search %j finds, over pages of two, %j', async (search, expected) => {
  expect(await find(search)).toEqual(expected)
})

test.each(["attributes.name = 'a'", "experiment_id = '1'", 'creation_time > 1.0.0'])('the filter %s is refused', async (filter) => {
  expect((await call('POST', 'experiments/search', { body: { max_results: 5, filter } })).json).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
})

test.each([
  ['tags.long', "Invalid order by key 'tag.long' specified. Valid keys are: name, creation_time, last_update_time, experiment_id"],
  ['tag.a DESC', "Invalid order by key 'tag.a' specified."],
  ['lifecycle_stage', "Invalid attribute key 'lifecycle_stage' specified."],
])('experiments are not ordered by %s', async (key, message) => {
  const answer = await call('POST', 'experiments/search', { body: { max_results: 5, order_by: [key] } })
  expect([answer.status, answer.text('message')]).toEqual([400, expect.stringContaining(message)])
})

test('older clients list with a GET', async () => {
  expect(names(await call('GET', 'experiments/list'))).toEqual(['Abc', 'ab', 'a', 'Default'])
  expect(names(await call('GET', 'experiments/search?max_results=9&order_by=name&filter=name%20%3D%20%27a%27'))).toEqual(['a'])
})

test('deleted experiments are found when asked for', async () => {
  const id = (await call('POST', 'experiments/create', { body: { name: 'gone' } })).text('experiment_id')
  await call('POST', 'experiments/delete', { body: { experiment_id: id } })
  expect(await find({ view_type: 'DELETED_ONLY' })).toEqual(['gone'])
  expect(await find({ filter: "name = 'gone'" })).toEqual([])
  expect(await find({ filter: "name = 'gone'", view_type: 3 })).toEqual(['gone'])
})
