import { expect, test } from 'vitest'
import { appendToHistory, readModelInfo } from './model-history.ts'

const model = { artifact_path: 'm', flavors: { sklearn: { code: 1, config: { big: 2 } }, odd: 3 }, utc_time_created: 't', run_id: 'r', signature: {} }
const info = { artifact_path: 'm', flavors: { sklearn: { code: 1 }, odd: 3 }, utc_time_created: 't', run_id: 'r' }

test('of a model are kept its place, its time and its flavors without their configuration', () => {
  expect(readModelInfo(JSON.stringify(model))).toEqual({ kind: 'info', info })
})

test.each([
  ['{', /^Malformed model info/],
  ['[]', /is not a valid JSON/],
  ['{"flavors":{},"run_id":"r"}', /^Model json is missing mandatory fields: {'artifact_path', 'utc_time_created'}$/],
])('%s is refused', (text, message) => {
  expect(readModelInfo(text)).toMatchObject({ kind: 'refused', message: expect.stringMatching(message) })
})

test('a model is told once, however often it is told', () => {
  const once = appendToHistory(null, info)
  expect(appendToHistory(once, info)).toBe(once)
  expect(JSON.parse(appendToHistory(once, { ...info, run_id: 's' }))).toEqual([info, { ...info, run_id: 's' }])
  expect(JSON.parse(appendToHistory('nonsense', info))).toEqual([info])
})
