import { modelPromoted } from '@millrace/contracts/events/model-events.ts'
import { expect, test } from 'vitest'
import { readEventSchemas } from '../check/event-history.ts'
import { eventSchemas } from './event-schemas.ts'
import { refuseRewrites } from './refuse-rewrites.ts'

const root = new URL('../../', import.meta.url).pathname
const published = readEventSchemas(root)
const path = 'contracts/schemas/events/io.millrace.model.promoted.v1/1.0.json'
const minor = modelPromoted.minor + 1
const next = path.replace('1.0', `1.${minor}`)

function changed(change: (schema: { properties: object; required: readonly string[] }) => object): string {
  return JSON.stringify(change(JSON.parse(published.get(path) ?? '')))
}

test('what was published and nothing else is written again', () => {
  expect(refuseRewrites(published, eventSchemas())).toEqual([])
})

test('an event type that is new is written', () => {
  const invented = path.replace('model.promoted', 'model.invented')
  expect(refuseRewrites(published, new Map([...eventSchemas(), [invented, published.get(path) ?? '']]))).toEqual([])
})

test('a published minor is not rewritten, not even in a compatible way: the change needs a minor of its own', () => {
  const wider = changed((schema) => ({ ...schema, properties: { ...schema.properties, note: { type: 'string' } } }))
  expect(refuseRewrites(published, new Map([[path, wider]]))).toEqual([expect.stringContaining("raise 'minor'")])
})

test('a breaking change of a published minor is refused with the place and the reason', () => {
  const narrower = changed((schema) => ({ ...schema, properties: { ...schema.properties, generation: { type: 'string' } } }))
  const [line = ''] = refuseRewrites(published, new Map([[path, narrower]]))
  expect(line).toContain('define a new major version')
  expect(line).toContain('$.generation was of type integer, is string')
})

test('a new minor that breaks an earlier one is refused', () => {
  const stricter = changed((schema) => ({ ...schema, properties: { ...schema.properties, note: { type: 'string' } }, required: [...schema.required, 'note'] }))
  expect(refuseRewrites(published, new Map([[next, stricter]]))).toContain(
    `io.millrace.model.promoted.v1 minor ${minor} against 0: $.note is new and required: add it as optional`,
  )
})
