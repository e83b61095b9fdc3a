import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { exampleRules } from './example-rules.ts'
import { parseFilter } from './parse-filter.ts'

const parse = (text: string) => parseFilter(text, exampleRules)
const one = (text: string) => {
  const [condition] = parse(text)
  return condition
}
const condition = (entity: string, key: string, comparator: string, value: unknown) => ({ entity, key, comparator, value })

test('an empty filter is no filter, and one of spaces is refused', () => {
  expect(parse('')).toEqual([])
  expect(() => parse('  \n')).toThrow(/Could not be parsed/)
})

test('comparisons are joined by AND in any case, with newlines as spaces', () => {
  expect(parse("metrics.acc > 0.9 and\n params.lr = '0.1' AnD run_name LIKE 'a%'")).toEqual([
    condition('metric', 'acc', '>', 0.9),
    condition('param', 'lr', '=', '0.1'),
    condition('attribute', 'run_name', 'LIKE', 'a%'),
  ])
})

test.each([
  ['tags.mlflow.source.name', 'mlflow.source.name'],
  ['tags.order', 'order'],
  ['tags.`a b`', 'a b'],
  ['tags."a-b"', 'a-b'],
  ["tags.'a/b'", 'a/b'],
  ['`tags`.é', 'é'],
  ['tags.1a', '1a'],
])('the key of %s is all after the first dot', (name, key) => {
  expect(one(`${name} = 'x'`)).toEqual(condition('tag', key, '=', 'x'))
})

test.each([
  ['start_time = -1', -1],
  ['start_time > .5', 0.5],
  ['start_time > 1.', 1],
  ['start_time<=1e-3', 0.001],
  ["version_number = '3'", 3],
])('%s holds the number %d', (text, value) => {
  expect(one(text)?.value).toBe(value)
})

test('values are quoted with either quote and have no escapes', () => {
  expect(one("params.a = 'it''s'")?.value).toBe("it''s")
  expect(one('params.a = "it\'s"')?.value).toBe("it's")
  expect(one("params.a = 'back\\'")?.value).toBe('back\\')
  expect(one("params.a=''")?.value).toBe('')
})

test('spellings lead to the one name of a field', () => {
  expect(one('`Run name` = "x"')?.key).toBe('run_name')
  expect(one('attribute.created > 1')?.key).toBe('start_time')
})

test('lists and presence are read in any case and spacing', () => {
  expect(one('run_id not  in (\'a\', "b")')).toEqual(condition('attribute', 'run_id', 'NOT IN', ['a', 'b']))
  expect(one('tags.a is NOT  null')).toEqual(condition('tag', 'a', 'IS NOT NULL', null))
  expect(one('tags.a IS NULL')?.comparator).toBe('IS NULL')
})

test.each([
  ["params.a = 'x' OR params.b = 'y'", /Invalid clause\(s\) in filter string: 'OR'/],
  ["NOT params.a = 'x'", /Invalid clause\(s\)/],
  ["(params.a = 'x')", /Invalid clause\(s\)/],
  ["params.a = 'x' -- all", /Invalid clause\(s\)/],
  ["params.a = 'x';", /Invalid clause\(s\)/],
  ["params.a = 'x' && params.b = 'y'", /Invalid clause\(s\)/],
  ['start_time BETWEEN 1 AND 2', /Invalid clause\(s\)/],
  ["params.a = 'x'; params.b = 'y'", /Search filter contained multiple expression/],
  ["params.1 = 'x'", /Invalid clause\(s\)/],
  ["params.a = 'x' AND", /Invalid clause\(s\)/],
  ['params.a', /Invalid clause\(s\)/],
  ["PARAMS.a = 'x'", /Invalid entity type 'PARAMS'/],
  ["nonsense = 'x'", /Invalid attribute key 'nonsense'/],
  ['duration > 1', /Invalid attribute key 'duration'/],
  ["__proto__.a = 'x'", /Invalid entity type/],
  ["constructor = 'x'", /Invalid attribute key/],
  ["params.a == 'x'", /Invalid comparator '=='/],
  ["params.a <> 'x'", /Invalid comparator '<>'/],
  ["params.a NOT LIKE 'x'", /Invalid comparator 'NOT LIKE'/],
  ["params.a ~ 'x'", /Invalid comparator '~'/],
  ["params.a > 'x'", /Invalid comparator '>'/],
  ['metrics.a IS NULL', /Invalid comparator 'IS NULL'/],
  ['params.a = x', /Parameter value is either not quoted or unidentified quote types/],
  ['params.a = `x`', /Parameter value is either not quoted or unidentified quote types/],
  ["params.a = 'x", /Parameter value is either not quoted/],
  ['params.a = 5', /Expected a quoted string value/],
  ["metrics.a > 'x'", /Expected numeric value type/],
  ['metrics.a > +1', /Expected numeric value type/],
  ['metrics.a > 0x10', /Expected numeric value type/],
  ['metrics.a > 1_000', /Expected numeric value type/],
  ['metrics.a > NaN', /Expected numeric value type/],
  ['metrics.a > 1e999', /Expected numeric value type/],
  ['1=1', /Expected 'Identifier' found '1'/],
  ["'a' = 'a'", /Expected 'Identifier' found/],
  ['run_id IN ()', /expected a non-empty list of string values, but got empty list/],
  ["run_id IN ('a',,'b')", /but got ill-formed list/],
  ["run_id IN ('a',)", /but got ill-formed list/],
  ['run_id IN (1,2)', /expected string value, punctuation, or whitespace, but got different type in list/],
  ["run_id IN ('a'", /expected ',' or '\)'/],
  ["run_name IN ('a')", /Only the 'run_id' attribute supports comparison with a list/],
  ["params.a = 'x\0'", /NUL/],
])('%s is refused', (text, message) => {
  expect(() => parse(text)).toThrow(message)
})

test('a trailing comma is read where the rules accept it', () => {
  expect(parseFilter("run_id IN ('a',)", { ...exampleRules, trailingComma: true })[0]?.value).toEqual(['a'])
})

test('too long a filter, and one of too many comparisons, is refused', () => {
  expect(() => parse(`params.a = '${'x'.repeat(500_000)}'`)).toThrow(/at most 500000/)
  expect(() => parse(Array.from({ length: 101 }, () => 'metrics.a > 1').join(' AND '))).toThrow(/more than 100 comparisons/)
})

const fragment = fc.constantFrom(
  'AND',
  ' ',
  'params.a',
  '=',
  "'x'",
  '"',
  "'",
  '`',
  '(',
  ')',
  ',',
  'IN',
  'NOT',
  'IS',
  'NULL',
  '.',
  '1',
  '-',
  ';',
  'metrics.',
  'run_id',
  '\\',
  '\n',
  'é',
  '𝒳',
)

test('every string is either read or refused in words', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        for (const { entity, key, comparator } of parse(text)) expect([entity, key, comparator].every((part) => typeof part === 'string')).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
        expect(error).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
      }
    }),
    { numRuns: 3000 },
  )
})

test('what is written by the grammar is read back as it was meant', () => {
  const written = fc.record({ key: fc.stringMatching(/^[a-z][a-z0-9_.]{0,20}$/), value: fc.string({ unit: 'grapheme' }).filter((text) => !/["\0]/.test(text)) })
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 20 }), (conditions) => {
      const text = conditions.map(({ key, value }) => `tags.${key} = "${value}"`).join(' AND ')
      expect(parse(text).map(({ key, value }) => ({ key, value }))).toEqual(conditions)
    }),
  )
})
