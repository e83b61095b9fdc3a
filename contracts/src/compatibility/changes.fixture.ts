import type { JsonSchema, SchemaObject } from './json-schema.ts'

/** Which validator the oracle catches refusing the other side's data. `none`: only people, or a later name, would notice. */
export type Seen = 'none' | 'newer refuses old data' | 'older refuses new data' | 'both refuse'

export interface Change {
  readonly name: string
  readonly older: JsonSchema
  readonly newer: JsonSchema
  /** Whether a minor may do it. */
  readonly allowed: boolean
  readonly seen: Seen
}

const text = { type: 'string' }
const open = (properties: SchemaObject, required: readonly string[] = Object.keys(properties)): SchemaObject => ({
  type: 'object',
  properties,
  required,
  additionalProperties: {},
})
const closed = (properties: SchemaObject, required?: readonly string[]): SchemaObject => ({ ...open(properties, required), additionalProperties: false })
const base = open({ a: text })
const one = (schema: JsonSchema): SchemaObject => open({ a: schema })
const may = (name: string, older: JsonSchema, newer: JsonSchema): Change => ({ name, older, newer, allowed: true, seen: 'none' })
const mayNot =
  (seen: Seen) =>
  (name: string, older: JsonSchema, newer: JsonSchema): Change => ({ name, older, newer, allowed: false, seen })
const unseen = mayNot('none')
const backward = mayNot('newer refuses old data')
const forward = mayNot('older refuses new data')
const both = mayNot('both refuse')

const cat = open({ kind: { const: 'cat' }, lives: { type: 'integer' } })
const dog = open({ kind: { const: 'dog' }, tricks: { type: 'integer' } })
const wider = open({ kind: { const: 'dog' }, tricks: { type: 'integer' }, name: text }, ['kind', 'tricks'])
const fish = open({ kind: { const: 'fish' } })
const tree = (node: SchemaObject): SchemaObject => ({ $ref: '#/$defs/node', $defs: { node } })
const node = open({ name: text, child: { $ref: '#/$defs/node' } }, ['name'])

const properties: readonly Change[] = [
  may('nothing changes', base, base),
  may('an optional property is added to an open object', base, open({ a: text, b: { type: 'integer' } }, ['a'])),
  may('an optional property that allows anything is added', base, open({ a: text, b: {} }, ['a'])),
  may(
    'an optional property is added deep inside',
    one(one({ type: 'array', items: base })),
    one(one({ type: 'array', items: open({ a: text, b: text }, ['a']) })),
  ),
  may('an optional object with required parts is added', base, open({ a: text, b: base }, ['a'])),
  forward('an optional property is added to a closed object', closed({ a: text }), closed({ a: text, b: text }, ['a'])),
  backward('a required property is added', base, open({ a: text, b: text })),
  unseen('an optional property is removed', open({ a: text, b: text }, ['a']), base),
  forward('a required property is removed', open({ a: text, b: text }), base),
  both('a required property is renamed', base, open({ b: text })),
  unseen('an optional property is renamed', open({ a: text }, []), open({ b: text }, [])),
  backward('an optional property becomes required', open({ a: text, b: text }, ['a']), open({ a: text, b: text })),
  forward('a required property becomes optional', open({ a: text, b: text }), open({ a: text, b: text }, ['a'])),
  unseen('an open object is closed', base, closed({ a: text })),
  unseen('a closed object is opened', closed({ a: text }), base),
  may('an open object is written another way', base, { type: 'object', properties: { a: text }, required: ['a'] }),
  may('required names change their order', open({ a: text, b: text }), open({ a: text, b: text }, ['b', 'a'])),
]

const values: readonly Change[] = [
  both('a property is retyped', one(text), one({ type: 'integer' })),
  forward('integer becomes number', one({ type: 'integer' }), one({ type: 'number' })),
  backward('number becomes integer', one({ type: 'number' }), one({ type: 'integer' })),
  forward('a property becomes nullable', one(text), one({ type: ['string', 'null'] })),
  backward('a property is not nullable any more', one({ type: ['string', 'null'] }), one(text)),
  may('null is written as an alternative instead of a type', one({ type: ['string', 'null'] }), one({ anyOf: [text, { type: 'null' }] })),
  may(
    'a nullable object gains an optional property',
    one({ anyOf: [base, { type: 'null' }] }),
    one({ anyOf: [open({ a: text, b: text }, ['a']), { type: 'null' }] }),
  ),
  forward('an enum gains a value', one({ enum: ['x', 'y'] }), one({ enum: ['x', 'y', 'z'] })),
  backward('an enum loses a value', one({ enum: ['x', 'y'] }), one({ enum: ['x'] })),
  may('an enum changes its order', one({ enum: ['x', 'y'] }), one({ enum: ['y', 'x'] })),
  forward('an enum gains null', one({ enum: ['x'] }), one({ enum: ['x', null] })),
  backward('an enum is put on a text', one(text), one({ type: 'string', enum: ['x'] })),
  forward('an enum is taken off a text', one({ type: 'string', enum: ['x'] }), one(text)),
  both('a constant changes', one({ const: 'x' }), one({ const: 'y' })),
  backward('a minimum is raised', one({ type: 'integer', minimum: 0, maximum: 9 }), one({ type: 'integer', minimum: 1, maximum: 9 })),
  forward('a minimum is lowered', one({ type: 'integer', minimum: 0 }), one({ type: 'integer', minimum: -9 })),
  backward('a maximum is added', one({ type: 'integer' }), one({ type: 'integer', maximum: 99 })),
  forward('a maximum is removed', one({ type: 'integer', maximum: 99 }), one({ type: 'integer' })),
  backward('an edge is excluded', one({ type: 'integer', minimum: 0, maximum: 9 }), one({ type: 'integer', exclusiveMinimum: 0, maximum: 9 })),
  backward('a shortest length is added', one(text), one({ type: 'string', minLength: 1 })),
  forward('a longest length grows', one({ type: 'string', maxLength: 3 }), one({ type: 'string', maxLength: 9 })),
  backward('a pattern is added', one(text), one({ type: 'string', pattern: '^[a-f]+$' })),
  forward('a pattern is removed', one({ type: 'string', pattern: '^[a-f]+$' }), one({ type: 'string', pattern: '^[a-z]+$' })),
  backward('a format is added', one(text), one({ type: 'string', format: 'date-time' })),
  forward('a format is removed', one({ type: 'string', format: 'date-time' }), one(text)),
]

const structures: readonly Change[] = [
  backward('a list must not be empty any more', one({ type: 'array', items: text }), one({ type: 'array', items: text, minItems: 1 })),
  both('the items of a list are retyped', one({ type: 'array', items: text, minItems: 1 }), one({ type: 'array', items: { type: 'integer' }, minItems: 1 })),
  both('a place of a tuple is retyped', one({ type: 'array', prefixItems: [text, text] }), one({ type: 'array', prefixItems: [text, { type: 'null' }] })),
  unseen('a tuple gains a place', one({ type: 'array', prefixItems: [text] }), one({ type: 'array', prefixItems: [text, text] })),
  both(
    'the values of a map are retyped',
    one({ type: 'object', additionalProperties: text }),
    one({ type: 'object', additionalProperties: { type: 'integer' } }),
  ),
  may(
    'a map names one of its entries',
    { type: 'object', additionalProperties: text },
    { type: 'object', properties: { b: text }, additionalProperties: text },
  ),
  forward(
    'a map names an entry of another type',
    { type: 'object', additionalProperties: text },
    { type: 'object', properties: { b: { type: 'integer' } }, additionalProperties: text },
  ),
  backward(
    'the names of a map are restricted',
    { type: 'object', additionalProperties: text, propertyNames: text },
    { type: 'object', additionalProperties: text, propertyNames: { type: 'string', pattern: '^[a-f]+$' } },
  ),
  may('alternatives change their order', one({ anyOf: [text, { type: 'number' }] }), one({ anyOf: [{ type: 'number' }, text] })),
  forward('an alternative is added', one({ anyOf: [text, { type: 'number' }] }), one({ anyOf: [text, { type: 'number' }, { type: 'boolean' }] })),
  may('an alternative of a choice gains an optional property', one({ oneOf: [cat, dog] }), one({ oneOf: [wider, cat] })),
  forward('a choice gains an alternative', one({ oneOf: [cat, dog] }), one({ oneOf: [cat, dog, fish] })),
  backward('a choice loses an alternative', one({ oneOf: [cat, dog, fish] }), one({ oneOf: [cat, dog] })),
  unseen('a choice becomes a list of alternatives', one({ oneOf: [cat, dog] }), one({ anyOf: [cat, dog] })),
  may('a schema moves to a definition', one(base), { ...one({ $ref: '#/$defs/part' }), $defs: { part: base } }),
  may('a definition that contains itself gains an optional property', tree(node), tree(open({ ...Object(node['properties']), note: text }, ['name']))),
  both('a definition that contains itself is retyped', tree(node), tree(open({ ...Object(node['properties']), name: { type: 'integer' } }, ['name']))),
  may('texts for people change', { ...base, title: 'A', description: 'one', examples: [1] }, { ...base, title: 'B', description: 'two', deprecated: true }),
  may('known values grow', one({ type: 'string', 'x-known-values': ['x'] }), one({ type: 'string', 'x-known-values': ['x', 'y'] })),
]

/** After Confluent's table of JSON Schema changes, and the corners of this checker; what a minor may do is decided by our own rule. */
export const changes: readonly Change[] = [...properties, ...values, ...structures]
