import { expect, test } from 'vitest'
import { randomName } from './random-name.ts'

test('a name is made of an adjective, a noun and a number, the same for the same id', () => {
  expect(randomName('00000000-0000-7000-8000-0000f1a2b3c4')).toMatch(/^[a-z]+-[a-z]+-\d{1,3}$/)
  expect(randomName('a')).toBe(randomName('a'))
  expect(new Set(Array.from({ length: 100 }, (_, index) => randomName((index * 7919).toString(16)))).size).toBe(100)
})
