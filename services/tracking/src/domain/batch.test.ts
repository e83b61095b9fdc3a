import { expect, test } from 'vitest'
import { changedParams, describeParamChange, lastByKey, refuseBatchSize, refuseDuplicateParams } from './batch.ts'

test('a batch holds at most 1000 metrics, 100 params, 100 tags, and 1000 together', () => {
  expect(refuseBatchSize({ metrics: 1000, params: 0, tags: 0 })).toBeNull()
  expect(refuseBatchSize({ metrics: 800, params: 100, tags: 100 })).toBeNull()
  expect(refuseBatchSize({ metrics: 1001, params: 0, tags: 0 })).toBe(
    'A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics across multiple requests and try again.',
  )
  expect(refuseBatchSize({ metrics: 0, params: 101, tags: 0 })).toMatch(/at most 100 params. Got 101 params/)
  expect(refuseBatchSize({ metrics: 0, params: 0, tags: 101 })).toMatch(/at most 100 tags/)
  expect(refuseBatchSize({ metrics: 900, params: 100, tags: 1 })).toMatch(/at most 1000 metrics, params, and tags. Got 1001/)
})

test('a param key comes once in a batch', () => {
  expect(refuseDuplicateParams([{ key: 'a', value: '1' }])).toBeNull()
  expect(
    refuseDuplicateParams([
      { key: 'a', value: '1' },
      { key: 'a', value: '1' },
    ]),
  ).toBe("Duplicate parameter keys have been submitted: ['a']. Please ensure the request contains only one param value per param key.")
})

test('params are written once: the same value again is fine, another is told apart', () => {
  const present = new Map([['lr', '0.1']])
  expect(changedParams([{ key: 'lr', value: '0.1' }], present)).toEqual([])
  const changes = changedParams([{ key: 'lr', value: '0.2' }], present)
  expect(describeParamChange('r1', changes, false)).toBe(
    "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run ID='r1'. Attempted logging new value '0.2'.",
  )
  expect(describeParamChange('r1', changes, true)).toBe(
    "Changing param values is not allowed. Params were already logged='[{'key': 'lr', 'old_value': '0.1', 'new_value': '0.2'}]' for run ID='r1'.",
  )
})

test('of two tags with one key the last wins', () => {
  expect(
    lastByKey([
      { key: 'b', value: '1' },
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]),
  ).toEqual([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
  ])
})
