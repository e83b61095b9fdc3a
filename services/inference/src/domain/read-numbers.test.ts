import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readNumbers } from './read-numbers.ts'

const encoder = new TextEncoder()
const read = (text: string): number[] | null => {
  const list = readNumbers(encoder.encode(text), 0)
  return list && Array.from(list.values)
}

test('a list of numbers is read as JSON.parse reads it', () => {
  const text = '[ 0,-0, 1,-1,0.5 ,\t12.25,0.000001,123456789012345,0.00000000012345,\n-90071992547409.9\r]'
  expect(read(text)).toEqual(JSON.parse(text))
})

test('numbers of up to 15 digits are the same doubles that JSON.parse makes', () => {
  const whole = fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }).map(String)
  const decimals = fc.tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.stringMatching(/^\d{1,9}$/)).map(([before, after]) => `${before}.${after}`)
  fc.assert(
    fc.property(fc.array(fc.oneof(whole, decimals), { minLength: 1, maxLength: 200 }), (texts) => {
      expect(read(`[${texts}]`)).toEqual(JSON.parse(`[${texts}]`))
    }),
    { numRuns: 300, seed: 7 },
  )
})

test('a list of any length is read whole', () => {
  const values = Array.from({ length: 20_000 }, (_, index) => index / 8)
  expect(read(JSON.stringify(values))).toEqual(values)
})

test('a list ends at its bracket', () => {
  expect(readNumbers(encoder.encode('x[1, 2 ],3'), 1)).toEqual({ values: Float64Array.of(1, 2), end: 8 })
})

const broken = [
  '[]',
  '[1,]',
  '[,1]',
  '[01]',
  '[-]',
  '[1.]',
  '[.5]',
  '[+1]',
  '[1..2]',
  '[1.2.3]',
  '[1/2]',
  '[1',
  '[1,2',
  '[1 2]',
  '[NaN]',
  '',
  '1',
  '[0x1]',
  '[--1]',
]

test.each([...broken, '["1"]', '[null]', '[[1]]', '[1e5]', '[1234567890123456]', '[0.1234567890123456]'])('%j is left to the parser', (text) => {
  expect(read(text)).toBeNull()
})
