import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exampleRun } from './example-run.ts'
import { matchesPattern, matchesRun } from './match-run.ts'

test.each([
  ['metric', 'val_accuracy', '>=', 0.93, true],
  ['metric', 'val_accuracy', '>', 0.93, false],
  ['metric', 'val_accuracy', '<', 1, true],
  ['metric', 'val_accuracy', '<=', 0.9, false],
  ['metric', 'val_accuracy', '=', 0.93, true],
  ['metric', 'val_accuracy', '!=', 0.93, false],
  ['metric', 'other', '!=', 0.93, false],
  ['metric', 'other', 'IS NULL', null, true],
  ['metric', 'val_accuracy', 'IS NOT NULL', null, true],
  ['tag', 'team', '=', 'fish', true],
  ['tag', 'team', '!=', 'bird', true],
  ['tag', 'absent', '!=', 'bird', false],
  ['tag', 'toString', 'IS NULL', null, true],
  ['tag', 'team', 'LIKE', 'F%', false],
  ['tag', 'team', 'ILIKE', 'F%', true],
  ['param', 'lr', '=', '0.1', true],
  ['attribute', 'experiment_id', 'IN', ['1', '2'], true],
  ['attribute', 'experiment_id', 'NOT IN', ['1', '2'], false],
  ['attribute', 'run_name', 'LIKE', '%perch', true],
])('%s %s %s %j is %s of the run', (entity, key, comparator, value, expected) => {
  expect(matchesRun(exampleRun(), { entity, key, comparator, value })).toBe(expected)
})

test('a pattern matches what the regular expression of the same meaning does', () => {
  const small = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_'), maxLength: 8 })
  fc.assert(
    fc.property(small, small, (text, pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`)
      expect(matchesPattern(text, pattern)).toBe(expression.test(text))
    }),
    { numRuns: 2000, seed: 11 },
  )
})

test('a pattern made to go back and forth ends', () => {
  expect(matchesPattern('a'.repeat(8000), `${'%a'.repeat(1000)}%b`)).toBe(false)
})
