import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { expect, test } from 'vitest'
import { decodeRecord, encodeEvent, encodeFor, type OutgoingEvent } from './cloudevents.ts'

const data = { model: 'fish', version: '2', deletedBy: 'ann', note: 'Äsche, 鱼, "quoted"' }
const extensions = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  sequence: '00000000000000000042',
  recordedtime: '2026-01-01T00:00:00.001Z',
  correlationid: 'c-1',
}
const outgoing: OutgoingEvent = {
  id: '00000000-0000-7000-8000-000000000001',
  source: '/millrace/registry',
  type: modelVersionDeleted.type,
  subject: 'fish',
  time: new Date('2026-01-01T00:00:00.000Z'),
  dataschema: 'https://schemas.millrace.io/x/1.0.json',
  extensions,
  data,
}
const incoming = {
  kind: 'event',
  event: { ...outgoing, extensions: { ...extensions, partitionkey: 'fish' } },
}

test('binary: what goes out comes back, with every extension and the partition key', () => {
  const record = encodeEvent(outgoing)
  expect(record).toMatchObject({ key: 'fish', headers: { 'content-type': 'application/json', ce_specversion: '1.0', ce_partitionkey: 'fish' } })
  expect(JSON.parse(String(record.value))).toEqual(data)
  expect(decodeRecord(record)).toEqual(incoming)
})

test.each([
  ['buffers', (value: string) => Buffer.from(value)],
  ['arrays', (value: string) => [value, 'second']],
  ['arrays of buffers', (value: string) => [Buffer.from(value)]],
])('binary: header values may be %s', (_kind, convert) => {
  const record = encodeEvent(outgoing)
  const headers = Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, convert(value)]))
  expect(decodeRecord({ ...record, headers })).toEqual(incoming)
})

const structured = (event: object, contentType = 'application/cloudevents+json; charset=UTF-8') =>
  decodeRecord({ key: 'fish', value: Buffer.from(JSON.stringify(event)), headers: { 'content-type': contentType } })
const whole = {
  specversion: '1.0',
  id: outgoing.id,
  source: outgoing.source,
  type: outgoing.type,
  subject: 'fish',
  time: '2026-01-01T00:00:00Z',
  dataschema: outgoing.dataschema,
  datacontenttype: 'application/json',
  partitionkey: 'fish',
  ...extensions,
}

test('structured: is told by its content type in any case', () => {
  for (const contentType of ['application/cloudevents+json; charset=UTF-8', 'Application/CloudEvents+JSON'])
    expect(structured({ ...whole, data }, contentType)).toEqual(incoming)
})

test('structured: data may be in base64', () => {
  expect(structured({ ...whole, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') })).toEqual(incoming)
})

test('a null value is a tombstone; null data makes one', () => {
  expect(encodeEvent({ ...outgoing, data: null }).value).toBeNull()
  expect(decodeRecord(encodeEvent({ ...outgoing, data: null }))).toEqual({ kind: 'tombstone', key: 'fish' })
})

test.each(['id', 'source', 'type', 'specversion', 'subject', 'time'])('without the attribute %s a record is malformed, and says so', (name) => {
  const record = encodeEvent(outgoing)
  const headers = Object.fromEntries(Object.entries(record.headers).filter(([header]) => header !== `ce_${name}`))
  expect(decodeRecord({ ...record, headers })).toMatchObject({ kind: 'malformed', reason: expect.stringContaining(name) })
  const { [name]: _removed, ...rest }: Record<string, unknown> = whole
  expect(structured({ ...rest, data })).toMatchObject({ kind: 'malformed', reason: expect.stringContaining(name) })
})

test.each([
  ['not JSON', Buffer.from('{"a":'), {}],
  ['not UTF-8', Buffer.from([0xff, 0xfe, 0x22]), {}],
  ['another specversion', Buffer.from('{}'), { ce_specversion: '0.3' }],
  ['a time that is none', Buffer.from('{}'), { ce_time: 'yesterday' }],
  ['an event format that is not JSON', Buffer.from('<a/>'), { 'content-type': 'application/cloudevents+xml' }],
  ['a structured event that is an array', Buffer.from('[]'), { 'content-type': 'application/cloudevents+json' }],
])('%s is malformed, never a throw', (_what, value, headers) => {
  expect(decodeRecord({ key: 'fish', value, headers: { ...encodeEvent(outgoing).headers, ...headers } })).toMatchObject({ kind: 'malformed' })
})

test('an extension that is no CloudEvents name is refused', () => {
  expect(() => encodeEvent({ ...outgoing, extensions: { 'Trace-Parent': 'x' } })).toThrow('Trace-Parent')
  expect(() => encodeEvent({ ...outgoing, extensions: { id: 'x' } })).toThrow('extension')
})

test('data that does not match its definition is refused by field', () => {
  const { type: _type, dataschema: _dataschema, ...rest } = outgoing
  expect(() => encodeFor(modelVersionDeleted, { ...rest, data: { model: 'fish', version: 2 } })).toThrow(/ModelVersionDeleted.*version/)
  expect(decodeRecord(encodeFor(modelVersionDeleted, { ...rest, data }))).toMatchObject({ kind: 'event', event: { type: modelVersionDeleted.type, data } })
})
