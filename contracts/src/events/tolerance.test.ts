import { readdirSync, readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { instancesOf } from '../compatibility/instances.fixture.ts'
import { isRecord, isSchema, type JsonSchema, listOf, schemasOf, textsOf } from '../compatibility/json-schema.ts'
import { eventCatalogue } from './catalogue.ts'

const GENERATED = 100
const goldenRoot = new URL('../../golden/', import.meta.url)
const schemaRoot = new URL('../../schemas/events/', import.meta.url)
const ajv = addFormats.default(new Ajv2020.default({ strict: false }))

const readJson = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'))

function readSchema(url: URL): JsonSchema {
  const schema = readJson(url)
  if (!isSchema(schema)) throw new Error(`${url.pathname} is no schema`)
  return schema
}

/** Every published minor of every type with its validator, the oldest first. */
const published = eventCatalogue.map((definition) => {
  const folder = new URL(`${definition.type}/`, schemaRoot)
  const files = readdirSync(folder).toSorted((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
  const minors = files.map((file) => ({ file, schema: readSchema(new URL(file, folder)) }))
  return { definition, name: definition.name, minors: minors.map((minor) => ({ ...minor, accepts: ajv.compile(minor.schema) })) }
})

/** Puts a field that nobody knows into every object that is no map, at every depth. */
function widen(data: unknown, schema: JsonSchema): unknown {
  if (!isRecord(schema)) return data
  const branch = listOf(schema['anyOf']).find((candidate) => isRecord(candidate) && candidate['type'] === (Array.isArray(data) ? 'array' : typeof data))
  if (branch) return data === null ? null : widen(data, branch)
  const items = schema['items']
  if (Array.isArray(data) && isSchema(items)) return data.map((item) => widen(item, items))
  if (!isRecord(data) || schema['properties'] === undefined) return data
  const inner = [...schemasOf(schema['properties'])].filter(([name]) => name in data).map(([name, property]) => [name, widen(data[name], property)])
  return { ...data, ...Object.fromEntries(inner), addedLater: { nested: [true] } }
}

test.each(published)('every golden $name, of whatever minor, is read by every published minor', ({ definition, minors }) => {
  const folder = new URL(`${definition.type}/`, goldenRoot)
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))) {
    for (const { accepts } of minors) expect(accepts(readJson(new URL(file, folder)))).toBe(true)
  }
})

test.each(published)(
  '$name: what any published minor can say, zod and the JSON Schemas of all minors read alike, with unknown fields at every depth',
  (each) => {
    for (const { schema } of each.minors) {
      for (const instance of instancesOf(schema, GENERATED)) {
        const widened = widen(instance, schema)
        expect(widened).toHaveProperty('addedLater')
        expect(each.definition.data.parse(widened)).toEqual(widened)
        for (const { accepts, file } of each.minors) expect(accepts(widened), file).toBe(true)
      }
    }
  },
)

test.each(published)(
  '$name: a required field that is missing is refused, and one of another type is judged alike, by zod and JSON Schema',
  ({ definition, minors }) => {
    const newest = minors.at(-1)
    const schema = newest?.schema
    if (!newest || !isRecord(schema)) throw new Error(`${definition.type} has no schema`)
    const [instance] = instancesOf(schema, 1)
    for (const name of textsOf(schema['required'])) {
      const { [name]: _, ...missing } = Object(instance)
      for (const damaged of [null, 'x', -1, true, [[]], {}].map((value) => ({ ...missing, [name]: value }))) {
        expect(definition.data.safeParse(damaged).success, JSON.stringify(damaged)).toBe(newest.accepts(damaged))
      }
      expect([definition.data.safeParse(missing).success, newest.accepts(missing)]).toEqual([false, false])
    }
  },
)

test.each(published)('$name: a value that joins the known ones later is read', ({ definition, minors }) => {
  const schema = minors.at(-1)?.schema ?? true
  const open = isRecord(schema) ? [...schemasOf(schema['properties'])].filter(([, field]) => isRecord(field) && 'x-known-values' in field) : []
  const [instance] = instancesOf(schema, 1)
  for (const [name] of open) expect(definition.data.safeParse({ ...Object(instance), [name]: 'joined-later' }).success).toBe(true)
})
