import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toCsv } from './csv.ts'

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['a,b', '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ['two\nlines', '"two\nlines"'],
  ['-0.5', '-0.5'],
  ['+1e-3', '+1e-3'],
  ['=1+1', "'=1+1"],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ['+cmd', "'+cmd"],
  ['-2+3', "'-2+3"],
  ['@SUM(1)', "'@SUM(1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', `"'\r=1"`],
  [' =1', "' =1"],
  ['＝1', "'＝1"],
])('%j becomes %j', (value, cell) => {
  expect(toCsv([[value]])).toBe(`${cell}\r\n`)
})

test('no cell begins like a formula, whatever was logged', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '1', '"', ' ', '\t', 'a') })), (value) => {
      const cell = toCsv([[value]]).slice(0, -2)
      const shown = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
      expect(/^[=+\-@]/.test(shown) && Number.isNaN(Number(shown))).toBe(false)
    }),
    { numRuns: 2000, seed: 7 },
  )
})
