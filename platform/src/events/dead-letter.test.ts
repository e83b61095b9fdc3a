import { expect, test } from 'vitest'
import { deadLetterOf, redriveOf } from './dead-letter.ts'
import type { DeliveredRecord } from './event-log.ts'

const record: DeliveredRecord = {
  ...{ topic: 'millrace.model-events.v1', partition: 2, offset: 7, timestamp: new Date(0), key: 'fish', value: Buffer.from([0xff, 0x00, 0x7b]) },
  headers: { ce_id: 'e1', 'content-type': 'application/json' },
}
const failure = { kind: 'Malformed', error: new Error('not JSON'), attempts: 1 }

test('a dead letter that is sent back is the record as it came, with the number of times', () => {
  const letter = deadLetterOf(record, 'promoter', failure, new Date(0))
  const { key, value, headers } = record
  expect(redriveOf(letter)).toEqual({ topic: record.topic, record: { key, value, headers: { ...headers, 'dlq-redrive-count': '1' } } })
})

test('one that comes back again remembers how often it was sent', () => {
  const again = { ...record, headers: { ...record.headers, 'dlq-redrive-count': '1' } }
  expect(redriveOf(deadLetterOf(again, 'promoter', failure, new Date(0)))?.record.headers['dlq-redrive-count']).toBe('2')
})

test('a record that is no dead letter is not sent anywhere', () => {
  expect(redriveOf(record)).toBeNull()
})
