import { readdirSync, readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { eventCatalogue } from './catalogue.ts'
import { dataSchemaOf } from './event.ts'
import { topicNames, topics } from './topics.ts'

const goldenRoot = new URL('../../golden/', import.meta.url)
const schemaRoot = new URL('../../schemas/events/', import.meta.url)

const readJson = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'))

const cases = eventCatalogue.flatMap((definition) =>
  readdirSync(new URL(`${definition.type}/`, goldenRoot)).flatMap((minor) =>
    readdirSync(new URL(`${definition.type}/${minor}/`, goldenRoot)).map((file) => ({
      definition,
      name: `${definition.type}/${minor}/${file}`,
      data: readJson(new URL(`${definition.type}/${minor}/${file}`, goldenRoot)),
    })),
  ),
)

const ajv = addFormats.default(new Ajv2020.default({ strict: false }))
const validators = new Map(
  eventCatalogue.map((definition) => {
    const schema = readJson(new URL(new URL(dataSchemaOf(definition)).pathname.slice(1), schemaRoot))
    if (typeof schema !== 'object' || schema === null) throw new Error(`no schema for ${definition.type}`)
    return [definition.type, ajv.compile(schema)] as const
  }),
)

test.each(cases)('golden event $name still parses, by zod and by its published JSON Schema', ({ definition, data }) => {
  expect(definition.data.parse(data)).toEqual(data)
  expect(validators.get(definition.type)?.(data)).toBe(true)
})

test.each(cases)('an unknown field in $name is tolerated and kept', ({ definition, data }) => {
  const widened = { ...Object(data), addedLater: { nested: true } }
  expect(definition.data.parse(widened)).toEqual(widened)
  expect(validators.get(definition.type)?.(widened)).toBe(true)
})

test('every event type has golden examples, a name of its own and a topic with one writer', () => {
  expect(new Set(cases.map(({ definition }) => definition.type)).size).toBe(eventCatalogue.length)
  expect(new Set(eventCatalogue.map((definition) => definition.name)).size).toBe(eventCatalogue.length)
  expect(new Set(eventCatalogue.map((definition) => definition.topic))).toEqual(new Set(topicNames))
  for (const name of topicNames) expect(topics[name].writer).not.toBe('')
})
