import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findJsonProblem } from './json-scan.ts'

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('finds a problem exactly where JSON.parse refuses', () => {
  const characters = fc.constantFrom(...'{}[],:" \n\t\\ue0123-+.tfna/b\u0001é'.split(''), 'true', 'null', '"a"', '"\\u00e9"')
  const texts = fc.array(characters, { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(texts, (text) => (findJsonProblem(text) === null) === parses(text)),
    { numRuns: 5000 },
  )
})

test('finds nothing in any JSON', () => {
  fc.assert(fc.property(fc.json(), (text) => findJsonProblem(text) === null))
})

test.each([
  ['{"a" 1}', 5, 'unexpected "1", expected ":"'],
  ['[1,]', 3, 'unexpected "]", expected a value'],
  ['{"a":1', 6, 'unexpected end, expected "," or the closing bracket'],
  ['"a', 2, 'unexpected end inside a string'],
  ["{'a':1}", 1, `unexpected "'"`],
  ['[9007199254740993]', 1, 'an integer beyond ±9007199254740991 that would lose digits (send it as a string)'],
  [`[${'9'.repeat(400)}]`, 1, 'an integer beyond ±9007199254740991 that would lose digits (send it as a string)'],
])('%s: position %i, %s', (text, position, message) => {
  expect(findJsonProblem(text)).toEqual({ position, message })
})

test('integers that keep their digits, fractions and digits inside strings are fine', () => {
  expect(
    findJsonProblem('[9007199254740991,-9007199254740991,100000000000000000000,123456789012345680000,0.12345678901234567890,1e300,"12345678901234567890"]'),
  ).toBeNull()
})
