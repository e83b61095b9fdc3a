import { dataSchemaOf, type Event, type EventDefinition } from '@millrace/contracts/events/event.ts'
import { messageOf } from '../errors.ts'
import type { LogRecord } from './event-log.ts'

/** CloudEvents 1.0 over Kafka: binary mode out, binary and structured mode in (https://github.com/cloudevents/spec, Kafka protocol binding 1.0.2). */
export interface OutgoingEvent {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: Date
  readonly dataschema: string
  /** Extension attributes by name, such as `traceparent` and `sequence`. */
  readonly extensions: Readonly<Record<string, string>>
  /** Null makes a record with a null value: a tombstone on a compacted topic. */
  readonly data: unknown
}

/** A decoded event with all that travelled beside its data. */
export interface IncomingEvent extends Event {
  readonly dataschema: string | null
  readonly extensions: Readonly<Record<string, string>>
}

export type Decoded =
  | { readonly kind: 'event'; readonly event: IncomingEvent }
  | { readonly kind: 'tombstone'; readonly key: string | null }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Header values as the clients of different logs deliver them. */
type HeaderValue = string | Buffer | readonly (string | Buffer)[] | null | undefined

export interface EncodedRecord {
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue>>
}

const CORE = new Set(['id', 'source', 'specversion', 'type', 'subject', 'time', 'dataschema', 'datacontenttype', 'data', 'data_base64'])
const ATTRIBUTE_NAME = /^[a-z][a-z0-9]{0,19}$/
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

/** Key = subject, so that all events of an aggregate keep their order; `partitionkey` says the same to readers that do not see the key. */
export function encodeEvent(event: OutgoingEvent): LogRecord {
  const badName = Object.keys(event.extensions).find((name) => !ATTRIBUTE_NAME.test(name) || CORE.has(name))
  if (badName !== undefined)
    throw new TypeError(`'${badName}' cannot be a CloudEvents extension: 1 to 20 of a-z and 0-9, beginning with a letter, no core attribute`)
  const attributes: Record<string, string> = {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: event.time.toISOString(),
    dataschema: event.dataschema,
    partitionkey: event.subject,
    ...event.extensions,
  }
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]))
  const value = event.data === null ? null : Buffer.from(JSON.stringify(event.data))
  return { key: event.subject, value, headers: { 'content-type': 'application/json', ...headers } }
}

/** Encodes an event of the catalogue. @throws Error when the data does not match the definition */
export function encodeFor(definition: EventDefinition, event: Omit<OutgoingEvent, 'type' | 'dataschema'>): LogRecord {
  return encodeEvent({ ...event, data: validated(definition, event.data), type: definition.type, dataschema: dataSchemaOf(definition) })
}

/** @throws Error naming the first field that does not match: the writer has a bug */
export function validated(definition: EventDefinition, data: unknown): unknown {
  const parsed = definition.data.safeParse(data)
  if (parsed.success) return parsed.data
  throw new Error(`${definition.name} does not match its schema: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`)
}

function text(value: HeaderValue): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  return Buffer.isBuffer(value) ? value.toString('utf8') : text(value[0])
}

function headerMap(headers: EncodedRecord['headers']): Map<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    const string = text(value)
    if (string !== null) map.set(name.toLowerCase(), string)
  }
  return map
}

/** Reads a record of either mode. Never throws: what cannot be read is `malformed`, with the reason. */
export function decodeRecord(record: EncodedRecord): Decoded {
  const headers = headerMap(record.headers)
  const contentType = headers.get('content-type')?.toLowerCase() ?? ''
  if (record.value === null) return { kind: 'tombstone', key: record.key }
  try {
    if (contentType.startsWith('application/cloudevents')) return decodeStructured(record.value, contentType)
    return decodeBinary(record.value, headers)
  } catch (error) {
    return { kind: 'malformed', reason: messageOf(error) }
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new Error(`the value is not JSON: ${messageOf(error)}`, { cause: error })
  }
}

function decodeBinary(value: Buffer, headers: ReadonlyMap<string, string>): Decoded {
  const attributes = new Map([...headers].flatMap(([name, text]) => (name.startsWith('ce_') ? [[name.slice(3), text]] : [])))
  return eventOf(attributes, parseJson(value))
}

function decodeStructured(value: Buffer, contentType: string): Decoded {
  if (!contentType.startsWith('application/cloudevents+json'))
    throw new Error(`the event format ${contentType} is not supported: expected application/cloudevents+json`)
  const whole = parseJson(value)
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) throw new Error('a structured event must be a JSON object')
  const { data, data_base64: base64, ...rest }: Record<string, unknown> = { ...whole }
  const attributes = new Map(Object.entries(rest).flatMap(([name, attribute]) => (attribute === null ? [] : [[name, String(attribute)]])))
  return eventOf(attributes, typeof base64 === 'string' ? parseJson(Buffer.from(base64, 'base64')) : (data ?? null))
}

function required(attributes: ReadonlyMap<string, string>, name: string): string {
  const value = attributes.get(name)
  if (!value) throw new Error(`the required attribute '${name}' is missing`)
  return value
}

function eventOf(attributes: ReadonlyMap<string, string>, data: unknown): Decoded {
  const specversion = required(attributes, 'specversion')
  if (specversion !== '1.0') throw new Error(`specversion is '${specversion}', expected '1.0'`)
  const time = attributes.get('time')
  if (time === undefined || !RFC3339.test(time) || Number.isNaN(Date.parse(time))) throw new Error(`time is '${time ?? ''}', expected an RFC 3339 time`)
  const event: IncomingEvent = {
    id: required(attributes, 'id'),
    source: required(attributes, 'source'),
    type: required(attributes, 'type'),
    subject: required(attributes, 'subject'),
    time: new Date(time),
    dataschema: attributes.get('dataschema') ?? null,
    extensions: Object.fromEntries([...attributes].filter(([name]) => !CORE.has(name))),
    data,
  }
  return { kind: 'event', event }
}
