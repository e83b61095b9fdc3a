import { messageOf } from '../errors.ts'
import type { DeliveredRecord, LogRecord } from './event-log.ts'

export interface Failure {
  /** Error class or the kind of refusal; a bounded set, used as a label. */
  readonly kind: string
  readonly error: unknown
  readonly attempts: number
}

const MAX_MESSAGE_BYTES = 1024
const MAX_STACK_BYTES = 8 * 1024

/** Cuts at a character's border, so that the header stays valid UTF-8. */
const cut = (text: string, bytes: number): string =>
  Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')

/** A dead letter on its way back: the record as it came first, under the same event id, and how often it was sent back. Null where nobody wrote down its topic. */
export function redriveOf({ key, value, headers }: LogRecord): { readonly topic: string; readonly record: LogRecord } | null {
  const topic = headers['dlq-original-topic']
  if (!topic) return null
  const own = Object.entries(headers).filter(([name]) => !name.startsWith('dlq-'))
  const { 'dlq-redrive-count': sentBefore = '0' } = headers
  return { topic, record: { key, value, headers: { ...Object.fromEntries(own), 'dlq-redrive-count': String(Number(sentBefore) + 1) } } }
}

/** The record as it came, key, value and headers unchanged, with where it came from and what went wrong. */
export function deadLetterOf(record: DeliveredRecord, group: string, failure: Failure, now: Date): LogRecord {
  const { 'dlq-redrive-count': redriveCount = '0' } = record.headers
  const stack = failure.error instanceof Error ? (failure.error.stack ?? '') : ''
  const about = {
    'dlq-original-topic': record.topic,
    'dlq-original-partition': String(record.partition),
    'dlq-original-offset': String(record.offset),
    'dlq-original-timestamp': record.timestamp.toISOString(),
    'dlq-consumer-group': group,
    'dlq-error-class': failure.kind,
    'dlq-error-message': cut(messageOf(failure.error), MAX_MESSAGE_BYTES),
    'dlq-error-stack': cut(stack, MAX_STACK_BYTES),
    'dlq-attempts': String(failure.attempts),
    'dlq-failed-at': now.toISOString(),
    'dlq-redrive-count': redriveCount,
  }
  return { key: record.key, value: record.value, headers: { ...record.headers, ...about } }
}
