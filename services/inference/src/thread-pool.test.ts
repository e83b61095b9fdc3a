import { expect, test } from 'vitest'
import { createThreadPool } from './thread-pool.ts'

const takeAll = (size: number, priority: 'high' | 'normal' | 'low'): number => {
  const pool = createThreadPool(size)
  let taken = 0
  while (pool.take(priority)) taken += 1
  return taken
}

test('models of low priority get half of the threads, others all but one, those of high priority all', () => {
  expect([takeAll(4, 'low'), takeAll(4, 'normal'), takeAll(4, 'high')]).toEqual([2, 3, 4])
  expect([takeAll(1, 'low'), takeAll(1, 'normal'), takeAll(0, 'high')]).toEqual([0, 1, 0])
})

test('what is given back can be taken again, and never more than there were', () => {
  const pool = createThreadPool(2)
  pool.take('high')
  pool.giveBack()
  pool.giveBack()
  expect(pool.free).toBe(2)
})
