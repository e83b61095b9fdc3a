import { isRecord, type SchemaObject } from '@millrace/contracts/compatibility/json-schema.ts'
import { eventCatalogue } from '@millrace/contracts/events/catalogue.ts'
import { topicNames, topics } from '@millrace/contracts/events/topics.ts'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { asyncapiDocument } from './asyncapi.ts'

// The rules of AsyncAPI 3.0.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0) and of its Kafka binding 0.5.0 that this document touches.
const reference = { type: 'object', properties: { $ref: { type: 'string', pattern: '^#/' } }, required: ['$ref'], additionalProperties: false }
const id = { type: 'string', pattern: '^[\\w.-]+$' }
const kafka = (properties: SchemaObject, required: readonly string[]): SchemaObject => ({
  type: 'object',
  properties: {
    kafka: {
      type: 'object',
      properties: { ...properties, bindingVersion: { const: '0.5.0' } },
      required: [...required, 'bindingVersion'],
      additionalProperties: false,
    },
  },
  required: ['kafka'],
  additionalProperties: false,
})
const named = (schema: SchemaObject): SchemaObject => ({ type: 'object', propertyNames: id, additionalProperties: schema, minProperties: 1 })
const closed = (properties: SchemaObject, required: readonly string[]): SchemaObject => ({ type: 'object', properties, required, additionalProperties: false })
const text = { type: 'string', minLength: 1 }
const topicConfiguration = closed(
  {
    'cleanup.policy': { type: 'array', items: { enum: ['compact', 'delete'] }, minItems: 1 },
    'retention.ms': { type: 'integer', minimum: -1 },
  },
  ['cleanup.policy', 'retention.ms'],
)
const channel = closed(
  {
    address: text,
    title: text,
    description: text,
    messages: named(reference),
    bindings: kafka({ topic: text, partitions: { type: 'integer', minimum: 1 }, topicConfiguration }, ['topic', 'partitions']),
  },
  ['address', 'messages'],
)
const operation = closed(
  {
    action: { enum: ['send', 'receive'] },
    title: text,
    channel: reference,
    tags: { type: 'array', items: closed({ name: text }, ['name']) },
    messages: { type: 'array', items: reference, minItems: 1 },
    bindings: kafka({ groupId: { type: 'object' } }, ['groupId']),
  },
  ['action', 'channel', 'messages'],
)
const message = closed(
  {
    name: text,
    title: text,
    summary: text,
    contentType: text,
    headers: { $ref: 'http://json-schema.org/draft-07/schema#', type: 'object' },
    payload: { $ref: 'http://json-schema.org/draft-07/schema#', type: 'object' },
    examples: { type: 'array', items: closed({ name: text, payload: true }, ['payload']), minItems: 1 },
    bindings: kafka({ key: { type: 'object' } }, ['key']),
  },
  ['name', 'headers', 'payload', 'bindings'],
)
const server = closed({ host: text, protocol: { const: 'kafka' }, description: text, variables: named(closed({ default: text, description: text }, [])) }, [
  'host',
  'protocol',
])
const rules = closed(
  {
    asyncapi: { const: '3.0.0' },
    info: closed({ title: text, version: text, description: text, license: closed({ name: text }, ['name']) }, ['title', 'version']),
    defaultContentType: text,
    servers: named(server),
    channels: named(channel),
    operations: named(operation),
    components: closed({ messages: named(message) }, ['messages']),
  },
  ['asyncapi', 'info', 'channels', 'operations'],
)

const document = JSON.parse(JSON.stringify(asyncapiDocument()))
const newAjv = () => addFormats.default(new Ajv.default({ strict: false, allErrors: true }))

function resolve(path: string): unknown {
  return path
    .slice(2)
    .split('/')
    .reduce<unknown>((node, name) => (isRecord(node) ? node[name] : undefined), document)
}

function referencesIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn)
  if (!isRecord(node)) return []
  return Object.entries(node).flatMap(([key, value]) => (key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value)))
}

const structureProblems = (candidate: unknown): readonly string[] => {
  const validate = newAjv().compile(rules)
  validate(candidate)
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
}

test('the document has the structure of AsyncAPI 3.0.0 with Kafka bindings', () => {
  expect(structureProblems(document)).toEqual([])
})

test('a document with an unknown action, a topic without partitions or a stray field is refused', () => {
  const broken = structuredClone(document)
  broken.operations['registry-sends-model-events'].action = 'publish'
  broken.channels['model-events'].bindings.kafka.partitions = 0
  broken.channels['run-events'].subscribe = {}
  expect(structureProblems(broken)).toEqual([
    expect.stringContaining('must NOT have additional properties'),
    expect.stringContaining('partitions must be >= 1'),
    expect.stringContaining('action must be equal to one of the allowed values'),
  ])
})

test('every reference leads somewhere, and an operation speaks only of messages of its channel', () => {
  for (const path of referencesIn(document)) expect(resolve(path), path).toBeDefined()
  for (const each of Object.values<{ channel: { $ref: string }; messages: { $ref: string }[] }>(document.operations)) {
    for (const { $ref } of each.messages) expect($ref.startsWith(`${each.channel.$ref}/messages/`)).toBe(true)
  }
})

test('every topic is a channel with its own partitions and one sender, every event a message of it', () => {
  const senders = Object.values<{ action: string; channel: { $ref: string } }>(document.operations).filter(({ action }) => action === 'send')
  for (const name of topicNames) {
    const found = Object.entries<{ address: string; bindings: { kafka: { partitions: number } } }>(document.channels).filter(
      ([, each]) => each.address === name,
    )
    expect(found.map(([, each]) => each.bindings.kafka.partitions)).toEqual([topics[name].partitions])
    expect(senders.filter(({ channel: { $ref } }) => $ref === `#/channels/${found[0]?.[0]}`)).toHaveLength(1)
  }
  expect(Object.keys(document.components.messages).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    eventCatalogue.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1)),
  )
})

test.each(eventCatalogue)('the examples of $name match its payload, and its headers are CloudEvents', ({ name, type }) => {
  const { payload, headers, examples } = document.components.messages[name]
  const validate = newAjv().compile(payload)
  for (const example of examples) expect(validate(example.payload)).toBe(true)
  const valid = newAjv().compile(headers)
  const written = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: '0190d0a0-0000-7000-8000-000000000001',
    ce_source: '/millrace/registry',
    ce_type: type,
    ce_subject: 'fish',
    ce_time: '2026-01-01T00:00:00Z',
    ce_dataschema: 'https://schemas.millrace.io/x/1.0.json',
    ce_partitionkey: 'fish',
  }
  expect(valid(written)).toBe(true)
  expect(valid({ ...written, ce_addedlater: 'x' })).toBe(true)
  expect(valid({ ...written, ce_type: 'io.millrace.other.v1' })).toBe(false)
})
