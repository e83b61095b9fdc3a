import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchKeyOf, joinRows, sliceRows, splitRows, stack, takeBatch, unstack, type Waiting } from './batch.ts'
import type { Tensor } from './tensor.ts'

const column = (values: number[]): Tensor => ({ name: 'x', datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) })
const numbers = ({ data }: Tensor): number[] => Array.from<number | bigint | string>(data).map(Number)
const entries = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), rows: fc.integer({ min: 1, max: 40 }) }))

test('a batch is one shape, never above the limit unless a single request is, and loses nobody', () => {
  fc.assert(
    fc.property(entries, (queue) => {
      const { batch, rest } = takeBatch(queue, 32)
      expect([...batch, ...rest]).toHaveLength(queue.length)
      expect(new Set(batch.map(({ key }) => key)).size).toBeLessThanOrEqual(1)
      const rows = batch.reduce((sum, entry) => sum + entry.rows, 0)
      expect(batch.length === 1 || rows <= 32).toBe(true)
    }),
  )
})

test('the oldest entry is always served first, whatever shapes come after it', () => {
  fc.assert(
    fc.property(entries, (queue) => {
      let waiting: Waiting[] = queue
      while (waiting.length > 0) {
        const { batch, rest } = takeBatch(waiting, 32)
        expect(batch[0]).toBe(waiting[0])
        waiting = rest
      }
    }),
  )
})

test('what is stacked and run row by row comes back to each request in its own order', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 9 }), (requests) => {
      const stacked = stack(requests.map((values) => [column(values)]))
      const doubled = stacked.map((tensor) => ({ ...tensor, data: Float32Array.from(numbers(tensor), (value) => value * 2) }))
      const answers = unstack(
        doubled,
        requests.map((values) => values.length),
      )
      expect(answers?.map(([answer]) => answer && numbers(answer))).toEqual(requests.map((values) => values.map((value) => value * 2)))
    }),
  )
})

test('a large request is cut into parts that join to the same rows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 32 }), (rows, maxRows) => {
      const input = column(Array.from({ length: rows }, (_, i) => i))
      const parts = splitRows([input], rows, maxRows)
      expect(parts.every(([part]) => (part?.shape[0] ?? 0) <= maxRows)).toBe(true)
      expect(joinRows(parts.flatMap(([part]) => part ?? []))).toEqual(input)
    }),
  )
})

test('outputs that do not have one row per input row cannot be handed out', () => {
  expect(unstack([column([1])], [1, 1])).toBeNull()
})

test('64-bit integers and strings are stacked like any other', () => {
  const big: Tensor = { name: 'i', datatype: 'INT64', shape: [1], data: BigInt64Array.of(7n) }
  const text: Tensor = { name: 's', datatype: 'BYTES', shape: [1], data: ['a'] }
  const [first, second] = stack([
    [big, text],
    [big, text],
  ])
  expect(first?.data).toEqual(BigInt64Array.of(7n, 7n))
  expect(second && sliceRows(second, 1, 2)).toEqual(text)
})

test('requests of different row shape or datatype have different keys', () => {
  expect(batchKeyOf([column([1])])).toBe(batchKeyOf([column([1, 2, 3])]))
  expect(batchKeyOf([column([1])])).not.toBe(batchKeyOf([{ ...column([1]), datatype: 'FP16' }]))
})
