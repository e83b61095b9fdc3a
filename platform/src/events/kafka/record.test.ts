import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchesOf, fromMessage } from './record.ts'

const record = (sizeBytes: number) => ({ key: 'k', value: Buffer.alloc(sizeBytes), headers: {} })

test('batches keep every record in order and none is over the limit of the broker', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 30 }), (sizes) => {
      const records = sizes.map(record)
      const batches = batchesOf('t', records)
      expect(batches.flat()).toEqual(records)
      for (const batch of batches) {
        const sizeBytes = batch.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0)
        expect(batch.length).toBeGreaterThan(0)
        expect(batch.length === 1 || sizeBytes < 1_000_000).toBe(true)
      }
    }),
    { numRuns: 50 },
  )
})

test('a record over 1 MiB is refused with its size', () => {
  expect(() => batchesOf('t', [record(1024 * 1024)])).toThrow(/A record of \d+ bytes for t is over the limit of 1048576/)
})

test('headers come as text: of a repeated one the first, of an empty one nothing', () => {
  const headers = { once: Buffer.from('ü'), twice: [Buffer.from('first'), Buffer.from('second')], empty: Buffer.alloc(0), none: undefined }
  const message = { key: null, value: null, headers, offset: '7', timestamp: '1000', attributes: 0 }
  expect(fromMessage('t', 2, message)).toEqual({
    topic: 't',
    partition: 2,
    offset: 7,
    timestamp: new Date(1000),
    key: null,
    value: null,
    headers: { once: 'ü', twice: 'first', empty: '', none: '' },
  })
})
