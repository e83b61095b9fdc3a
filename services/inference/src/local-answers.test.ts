import { expect, test } from 'vitest'
import type { Answer } from './answer-cache.ts'
import { createLocalAnswers } from './local-answers.ts'

const answerOf = (value: number, count = 1): Answer => ({
  outputs: [{ name: 'y', datatype: 'FP32', shape: [count], data: new Float32Array(count).fill(value) }],
  statistics: null,
})
const limits = { ttlMs: 1000, maxEntries: 2, maxBytes: 100_000 }

test('beyond its entries a model forgets what was used least recently; other models are not touched', () => {
  const answers = createLocalAnswers(() => 0)
  answers.set('n', 'a', answerOf(9), limits)
  answers.set('m', 'a', answerOf(1), limits)
  answers.set('m', 'b', answerOf(2), limits)
  answers.get('m', 'a')
  answers.set('m', 'c', answerOf(3), limits)
  expect(['a', 'b', 'c'].map((key) => answers.get('m', key) !== null)).toEqual([true, false, true])
  expect(answers.get('n', 'a')).toEqual(answerOf(9))
})

test('beyond its bytes too, and what is larger than all of them is not kept', () => {
  const answers = createLocalAnswers(() => 0)
  const bytes = { ttlMs: 1000, maxEntries: 100, maxBytes: 10_000 }
  for (const key of ['a', 'b', 'c']) answers.set('m', key, answerOf(1, 1000), bytes)
  answers.set('m', 'd', answerOf(1, 5000), bytes)
  expect(['a', 'b', 'c', 'd'].map((key) => answers.get('m', key) !== null)).toEqual([false, true, true, false])
  expect(answers.sizeOf('m')).toBeLessThanOrEqual(10_000)
})

test('an answer is gone when its time is over, or with the version that gave it', () => {
  let now = 0
  const answers = createLocalAnswers(() => now)
  answers.set('m', 'digest-1:x', answerOf(1), limits)
  answers.set('m', 'digest-2:x', answerOf(2), limits)
  answers.drop('m', 'digest-1:')
  expect([answers.get('m', 'digest-1:x'), answers.get('m', 'digest-2:x')]).toEqual([null, answerOf(2)])
  now = 1000
  expect(answers.get('m', 'digest-2:x')).toBeNull()
  expect(answers.sizeOf('m')).toBe(0)
})
