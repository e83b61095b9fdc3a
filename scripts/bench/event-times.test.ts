import { expect, test } from 'vitest'
import { delaysOf } from './event-times.ts'

test('a delay runs from the commit of an event to the end of its handling, whatever the order', () => {
  const committed: [string, number][] = [
    ['a', 10],
    ['b', 11],
  ]
  expect(
    delaysOf(committed, [
      ['b', 14],
      ['a', 15],
    ]),
  ).toEqual([5, 3])
})

test('an event that was lost is an error, and no figure', () => {
  expect(() => delaysOf([['a', 10]], [])).toThrow('event a was committed and never handled')
})
