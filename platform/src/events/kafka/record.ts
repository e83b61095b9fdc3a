import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import { AppError } from '../../errors.ts'
import type { DeliveredRecord, LogRecord } from '../event-log.ts'

/** The brokers' default `max.message.bytes` counts the frame around a batch too, some 100 bytes. */
const MAX_RECORD_BYTES = 1024 * 1024
/** A batch of one partition is one message to the broker: it must fit below the same limit. */
const MAX_BATCH_BYTES = 900 * 1024
/** Lengths, offset and time of a record, at most. */
const FRAME_BYTES = 64

export const toMessage = ({ key, value, headers }: LogRecord): Message => ({ key, value, headers: { ...headers } })

function sizeOf({ key, value, headers }: LogRecord): number {
  const headerBytes = Object.entries(headers).reduce((sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + 10, 0)
  return FRAME_BYTES + (value?.byteLength ?? 0) + Buffer.byteLength(key ?? '') + headerBytes
}

/**
 * Splits records into batches that the broker takes, in order; a record that is large by itself travels alone.
 * @throws AppError PAYLOAD_TOO_LARGE for a record over 1 MiB
 */
export function batchesOf(topic: string, records: readonly LogRecord[]): LogRecord[][] {
  const batches: LogRecord[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const record of records) {
    const size = sizeOf(record)
    if (size > MAX_RECORD_BYTES) {
      throw new AppError('PAYLOAD_TOO_LARGE', `A record of ${size} bytes for ${topic} is over the limit of ${MAX_RECORD_BYTES}: send less in one record`)
    }
    if (bytes + size > MAX_BATCH_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)?.push(record)
    bytes += size
  }
  return batches
}

/** A header may come several times: the first counts. */
function textOf(value: IHeaders[string]): string {
  const first = Array.isArray(value) ? value[0] : value
  return first === undefined ? '' : first.toString()
}

export function fromMessage(topic: string, partition: number, { key, value, headers = {}, offset, timestamp }: KafkaMessage): DeliveredRecord {
  return {
    topic,
    partition,
    offset: Number(offset),
    timestamp: new Date(Number(timestamp)),
    key: key === null ? null : key.toString(),
    value,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, textOf(text)])),
  }
}
