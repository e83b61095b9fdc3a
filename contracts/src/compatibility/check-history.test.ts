import { expect, test } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { JsonSchema, SchemaObject } from './json-schema.ts'

const text = { type: 'string' }
const open = (properties: SchemaObject, required: readonly string[] = ['a']): JsonSchema => ({ type: 'object', properties, required, additionalProperties: {} })
const history = (...schemas: readonly JsonSchema[]) => schemas.map((schema, minor) => ({ minor, schema }))

test('minors that only add optional properties form a history', () => {
  expect(checkHistory(history(open({ a: text }), open({ a: text, b: text }), open({ a: text, b: text, c: { type: 'integer' } })))).toEqual([])
})

test('every earlier minor is compared, not only the last: a removed name may not come back with another meaning', () => {
  const problems = checkHistory(history(open({ a: text, b: text }), open({ a: text }), open({ a: text, b: { type: 'integer' } })))
  expect(problems).toEqual([
    { path: '$.b', message: 'was removed or renamed', minor: 1, against: 0 },
    { path: '$.b', message: 'was of type string, is integer', minor: 2, against: 0 },
  ])
})

test('a reserved name is free for nobody, at its place alone', () => {
  const nested = open({ a: text, part: open({ a: text, url: text }) })
  expect(checkHistory(history(nested), ['$.part.url'])).toEqual([{ path: '$.part.url', message: 'is a reserved name', minor: 0, against: null }])
  expect(checkHistory(history(nested), ['$.url'])).toEqual([])
})

test('reserved names are found in lists, maps, alternatives and definitions that contain themselves', () => {
  const part = open({ a: text, bad: text })
  const places = [{ type: 'array', items: part }, { type: 'array', prefixItems: [part] }, { anyOf: [part, { type: 'null' }] }, { $ref: '#/$defs/node' }]
  const schema = {
    ...Object(open(Object.fromEntries(places.map((place, index) => [`p${index}`, place])))),
    additionalProperties: part,
    $defs: { node: open({ bad: text, child: { $ref: '#/$defs/node' } }, []) },
  }
  const found = checkHistory([{ minor: 0, schema }], ['$.p0[].bad', '$.p1[].bad', '$.p2.bad', '$.p3.bad', '$.*.bad'])
  expect(found.map(({ path }) => path).sort()).toEqual(['$.*.bad', '$.p0[].bad', '$.p1[].bad', '$.p2.bad', '$.p3.bad'])
})

test.each([
  ['a keyword that it does not understand', { patternProperties: {} }, '#/patternProperties'],
  ['a default, which validators do not apply', { properties: { a: { type: 'string', default: 'x' } } }, '#/properties/a/default'],
  ['an unknown keyword inside a definition', { $defs: { x: { not: {} } } }, '#/$defs/x/not'],
  ['an unknown keyword inside alternatives', { anyOf: [{ if: {} }] }, '#/anyOf/0/if'],
  ['a reference to another document', { $ref: 'https://example.com/x.json' }, '#/$ref'],
  ['a reference to nothing', { properties: { a: { $ref: '#/$defs/gone' } } }, '#/properties/a/$ref'],
  ['a reference to itself', { $ref: '#/$defs/x', $defs: { x: { $ref: '#/$defs/x' } } }, '#/$ref'],
  ['a rule beside a reference', { $ref: '#/$defs/x', minLength: 1, $defs: { x: text } }, '#/$ref'],
  ['a choice without a discriminator', { oneOf: [open({ a: text }), open({ a: { type: 'null' } })] }, '#/oneOf'],
  ['a choice beside alternatives', { oneOf: [], anyOf: [] }, '#/oneOf'],
  ['properties that are no schemas', { properties: [] }, '#/properties'],
  ['items that are no schema', { items: 'text' }, '#/items'],
  ['alternatives that are no list', { anyOf: {} }, '#/anyOf'],
])('%s is an error', (_what, schema, path) => {
  const problems = checkHistory(history(schema, schema))
  expect(problems.map((found) => [found.minor, found.against])).toContainEqual([1, null])
  expect(problems.map((found) => found.path)).toContain(path)
})

test('minors count up from 0 without a gap', () => {
  const schema = open({ a: text })
  expect(
    checkHistory([
      { minor: 2, schema },
      { minor: 0, schema },
    ]),
  ).toEqual([{ path: '#', message: 'expected minor 1 here: minors count up from 0 without a gap', minor: 2, against: null }])
})
