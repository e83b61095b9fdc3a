import { messageOf } from '../errors.ts'
import { ATTRIBUTES, MESSAGING_SYSTEM } from '../telemetry/semantic-conventions.ts'
import type { SpanEnd } from '../telemetry/span.ts'
import { beginLinkedSpan, beginSpan, parseTraceparent, withTrace } from '../telemetry/tracing.ts'
import type { IncomingEvent } from './cloudevents.ts'
import type { Failure } from './dead-letter.ts'
import type { DeliveredRecord } from './event-log.ts'
import type { OutboxRow } from './outbox-store.ts'

interface Processing {
  readonly record: DeliveredRecord
  /** Null for a record that is no event. */
  readonly event: IncomingEvent | null
  readonly group: string
}

/** Handles one record in the trace that its event was published in. */
export async function traceProcess<R extends { kind: string; failure?: Failure }>(processing: Processing, work: () => Promise<R>): Promise<R> {
  return withTrace(parseTraceparent(processing.event?.extensions['traceparent']), async () => {
    const end = beginSpan('consumer')
    try {
      const result = await work()
      end(() => processed(processing, result.failure ?? null))
      return result
    } catch (error) {
      end(() => processed(processing, { kind: 'interrupted', error, attempts: 1 }))
      throw error
    }
  })
}

const messaging = (operation: string, topic: string) => ({
  [ATTRIBUTES.messagingSystem]: MESSAGING_SYSTEM,
  [ATTRIBUTES.messagingOperation]: operation,
  [ATTRIBUTES.messagingOperationType]: operation,
  [ATTRIBUTES.messagingDestination]: topic,
})

function processed({ record, event, group }: Processing, failure: Failure | null): SpanEnd {
  const attributes = {
    ...messaging('process', record.topic),
    [ATTRIBUTES.messagingGroup]: group,
    [ATTRIBUTES.messagingPartition]: String(record.partition),
    [ATTRIBUTES.messagingMessageId]: event?.id,
    [ATTRIBUTES.kafkaMessageKey]: record.key ?? undefined,
    [ATTRIBUTES.kafkaOffset]: record.offset,
    [ATTRIBUTES.errorType]: failure?.kind,
  }
  return { name: `process ${record.topic}`, attributes, error: failure && messageOf(failure.error) }
}

/** Sends a batch of the outbox. Its span links to the traces that the events were published in. */
export async function traceSend(topic: string, rows: readonly OutboxRow[], work: () => Promise<void>): Promise<void> {
  const end = beginLinkedSpan('client', () => rows.flatMap((row) => parseTraceparent(row.headers['ce_traceparent']) ?? []))
  try {
    await work()
    end(() => sent(topic, rows, null))
  } catch (error) {
    end(() => sent(topic, rows, error))
    throw error
  }
}

function sent(topic: string, rows: readonly OutboxRow[], error: unknown): SpanEnd {
  const alone = rows.length === 1 ? rows[0] : undefined
  const attributes = {
    ...messaging('send', topic),
    [ATTRIBUTES.messagingBatchCount]: alone ? undefined : rows.length,
    [ATTRIBUTES.messagingMessageId]: alone?.id,
    [ATTRIBUTES.kafkaMessageKey]: alone?.aggregateid,
    [ATTRIBUTES.errorType]: error instanceof Error ? error.name : undefined,
  }
  return { name: `send ${topic}`, attributes, error: error === null ? null : messageOf(error) }
}
