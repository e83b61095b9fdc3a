import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { readFields, readText } from './protobuf-reader.ts'
import { bytesField, concatBytes, intField, textField } from './protobuf-writer.ts'

test('what was written is read back, field by field', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ field: fc.integer({ min: 1, max: 1000 }), int: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), text: fc.string({ unit: 'grapheme' }) }),
      ),
      (records) => {
        const message = concatBytes(records.flatMap(({ field, int, text }) => [intField(field, int), textField(field, text)]))
        const read = [...readFields(message)].map((entry) => ('bytes' in entry ? readText(entry.bytes) : entry.number))
        expect(read).toEqual(records.flatMap(({ int, text }) => [int, text]))
      },
    ),
  )
})

test('negative numbers are written as ten bytes and come back as their two’s complement', () => {
  const [read] = readFields(intField(3, -1))
  expect(read).toEqual({ field: 3, number: 2n ** 64n - 1n })
})

test('any bytes either parse or are refused, and never throw anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const read of readFields(bytes)) expect(read.field).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
      }
    }),
  )
})

test.each([
  ['a number that ends early', [0x08, 0x80]],
  ['a number of more than ten bytes', [0x08, ...new Array<number>(11).fill(0x80)]],
  ['a length beyond the end', [0x0a, 0x7f, 0x00]],
  ['a length near 2^64', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['a group, which ONNX does not use', [0x0b]],
  ['field number zero', [0x02, 0x00]],
])('%s is refused', (_name, bytes) => {
  expect(() => [...readFields(Uint8Array.from(bytes))]).toThrow(AppError)
})

test('a name that is no UTF-8 is refused', () => {
  const [read] = readFields(bytesField(1, Uint8Array.of(0xff, 0xfe)))
  expect(() => readText(read && 'bytes' in read ? read.bytes : new Uint8Array())).toThrow('not valid UTF-8')
})
