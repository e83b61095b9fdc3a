import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { exampleRules } from './example-rules.ts'
import { parseOrder, parseOrderBy } from './parse-order.ts'

test.each([
  ['metrics.acc DESC', 'metric', 'acc', false],
  ['metrics.`a b` asc', 'metric', 'a b', true],
  ['start_time', 'attribute', 'start_time', true],
  ['attribute.created desc', 'attribute', 'start_time', false],
  ['"Run name" DESC', 'attribute', 'run_name', false],
  ['params.desc', 'param', 'desc', true],
  ['duration', 'attribute', 'duration', true],
])('%s orders by %s %s', (clause, entity, key, ascending) => {
  expect(parseOrder(clause, exampleRules)).toMatchObject({ entity, key, ascending })
})

test.each([
  ['', /Invalid order_by clause/],
  ['metrics.a down', /Invalid order_by clause/],
  ['metrics.a ASC DESC', /Invalid order_by clause/],
  ["'a'", /Invalid order_by clause/],
  ['run_id', /Invalid attribute key/],
  ['nonsense', /Invalid attribute key/],
  ['nothing.a', /Invalid entity type/],
])('%j is refused', (clause, message) => {
  expect(() => parseOrder(clause, exampleRules)).toThrow(message)
})

test('a field stands in one clause only, whatever its spelling', () => {
  expect(() => parseOrderBy(['created', 'start_time DESC'], exampleRules)).toThrow('`order_by` contains duplicate fields: attribute.start_time')
})

test('more clauses than anybody orders by are refused: each may cost a join', () => {
  const clauses = (count: number) => Array.from({ length: count }, (_, index) => `tags.k${index}`)
  expect(parseOrderBy(clauses(20), exampleRules)).toHaveLength(20)
  expect(() => parseOrderBy(clauses(21), exampleRules)).toThrow('`order_by` has 21 clauses; at most 20 are allowed')
})

test('every clause is either read or refused in words', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (clause) => {
      try {
        parseOrder(clause, exampleRules)
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
      }
    }),
    { numRuns: 1000 },
  )
})
