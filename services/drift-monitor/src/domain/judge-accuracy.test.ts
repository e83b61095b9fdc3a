import { expect, test } from 'vitest'
import { judgeAccuracy, upperAccuracy } from './judge-accuracy.ts'

test('the bound is that of Wilson: 80 of 100 right may still be 85.8 %', () => {
  expect(upperAccuracy({ labelledRows: 100, correct: 80 })).toBeCloseTo(0.8579, 3)
  expect(upperAccuracy({ labelledRows: 0, correct: 0 })).toBe(1)
})

test.each([
  [100, 92, 'good'],
  [100, 88, 'unclear'],
  [100, 80, 'degraded'],
  [1000, 880, 'degraded'],
  [0, 0, 'unclear'],
])('of %i labelled rows %i right against a limit of 0.9: %s', (labelledRows, correct, verdict) => {
  expect(judgeAccuracy({ labelledRows, correct }, 0.9)).toBe(verdict)
})
