import { expect, test } from 'vitest'
import { judge } from './predict.ts'

const answer = (...data: number[]): string => JSON.stringify({ outputs: [{ name: 'y', data }] })

test('an answer is right when the version in its header computed it', () => {
  expect(judge(answer(7, 10), '3', [2, 3])).toEqual({ kind: 'ok', version: '3', reason: '' })
})

test('an answer that another version computed is mixed', () => {
  expect(judge(answer(9, 13), '3', [2, 3])).toMatchObject({ kind: 'mixed', version: '3' })
  expect(judge(answer(7), '3', [2, 3])).toMatchObject({ kind: 'mixed' })
})

test('an answer without an output has failed', () => {
  expect(judge('', '3', [2, 3])).toMatchObject({ kind: 'failed' })
  expect(judge('{"outputs":[]}', '3', [2, 3])).toMatchObject({ kind: 'failed' })
})
