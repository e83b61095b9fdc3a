import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { type Change, changes, type Seen } from './changes.fixture.ts'
import { compareSchemas } from './compare-schemas.ts'
import { instancesOf } from './instances.fixture.ts'
import type { JsonSchema } from './json-schema.ts'
import { findUnknownKeywords } from './keywords.ts'

const INSTANCES = 500
const ajv = addFormats.default(new Ajv2020.default({ strict: false }))

function refuses(reader: JsonSchema, writer: JsonSchema): boolean {
  const validate = ajv.compile(reader)
  return instancesOf(writer, INSTANCES).some((instance) => !validate(instance))
}

function seenBy({ older, newer }: Change): Seen {
  const [backward, forward] = [refuses(newer, older), refuses(older, newer)]
  if (backward && forward) return 'both refuse'
  if (backward) return 'newer refuses old data'
  return forward ? 'older refuses new data' : 'none'
}

test.each(changes)('$name: allowed = $allowed', ({ older, newer, allowed }) => {
  expect(compareSchemas(older, newer).length === 0).toBe(allowed)
})

test.each(changes)('the oracle on "$name": $seen', (change) => {
  expect(seenBy(change)).toBe(change.seen)
  if (change.allowed) expect(change.seen).toBe('none')
})

test.each(changes)('both sides of "$name" are within the subset, and agree with themselves and with their own instances', ({ older, newer }) => {
  for (const schema of [older, newer]) {
    expect(findUnknownKeywords(schema)).toEqual([])
    expect(compareSchemas(schema, structuredClone(schema))).toEqual([])
    expect(refuses(schema, schema)).toBe(false)
  }
})

test('a problem names its place in the data and what was there before', () => {
  const nested = (type: string): JsonSchema => ({
    type: 'object',
    properties: { list: { type: 'array', items: { type: 'object', properties: { deep: { type } } } } },
  })
  expect(compareSchemas(nested('string'), nested('integer'))).toEqual([{ path: '$.list[].deep', message: 'was of type string, is integer' }])
})
