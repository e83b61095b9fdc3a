import { dataSchemaOf, type EventDefinition } from '@millrace/contracts/events/event.ts'
import type { Clock, NewId } from '../clock.ts'
import { crashPoint } from '../crash-point.ts'
import { AppError } from '../errors.ts'
import type { Database, Sql } from '../sql/sql.ts'
import { currentTrace, formatTraceparent } from '../telemetry/tracing.ts'
import { validated } from './cloudevents.ts'
import type { Publish } from './handler.ts'

export interface PublishDeps {
  /** CloudEvents source of all that this service says, such as `/millrace/registry`. */
  readonly source: string
  readonly clock: Clock
  readonly newId: NewId
}

/** Kafka's default limit of a record is 1 MiB, headers included. */
const MAX_DATA_BYTES = 900 * 1024

const INSERT = `insert into outbox (id, aggregatetype, aggregateid, type, topic, dataschema, payload, headers, occurred_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

const aggregateTypeOf = (definition: EventDefinition): string => definition.type.split('.')[2] ?? ''

function encoded(definition: EventDefinition, subject: string, data: unknown): string {
  const payload = JSON.stringify(validated(definition, data))
  const sizeBytes = Buffer.byteLength(payload)
  if (sizeBytes <= MAX_DATA_BYTES) return payload
  throw new AppError('PAYLOAD_TOO_LARGE', `${definition.name} of '${subject}' has ${sizeBytes} bytes, the limit is ${MAX_DATA_BYTES}: send less in one event`)
}

/** Makes the `Publish` of one service: a row in the outbox of the caller's transaction, with the trace that it belongs to. */
export function createPublish({ source, clock, newId }: PublishDeps): Publish {
  return async function publish(tx, { definition, subject, data }) {
    const payload = encoded(definition, subject, data)
    const trace = currentTrace()
    const headers = { ce_source: source, ...(trace ? { ce_traceparent: formatTraceparent(trace) } : {}) }
    const dataschema = dataSchemaOf(definition)
    const values = [newId(), aggregateTypeOf(definition), subject, definition.type, definition.topic, dataschema, payload, JSON.stringify(headers), clock()]
    await tx.query(INSERT, values)
  }
}

export interface Commit {
  /** An event was written to the outbox: the relay has something to send. */
  readonly published: boolean
  /** Something was written at all: jobs may have something to do. */
  readonly wrote: boolean
}

const WRITES = /^\s*(insert|update|delete|merge|with)\b/i
const PUBLISHES = /^\s*insert\s+into\s+outbox\b/i

/** The same database, which tells `onCommit` after each transaction or statement that changed something. `onCommit` must return quickly and not throw. */
export function notifyAfterCommit(database: Database, onCommit: (commit: Commit) => void): Database {
  return {
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      const rows = await database.query<Row>(text, values)
      if (WRITES.test(text)) onCommit({ published: false, wrote: true })
      return rows
    },
    async transaction(work) {
      let wrote = false
      let published = false
      const result = await database.transaction((tx) => {
        const watched: Sql = {
          query(text, values) {
            wrote ||= WRITES.test(text)
            published ||= PUBLISHES.test(text)
            return tx.query(text, values)
          },
        }
        return work(watched)
      })
      if (published) crashPoint('after_db_commit')
      if (wrote) onCommit({ published, wrote })
      return result
    },
  }
}
