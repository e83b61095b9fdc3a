import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { createSpare } from './spare.ts'

function setUp(refillAfterMs = 0) {
  const ended: number[] = []
  let started = 0
  const spare = createSpare({ start: async () => ++started, end: (item) => void ended.push(item), usable: (item) => item !== 13, refillAfterMs })
  return { spare, ended, started: () => started }
}

test('one is kept ready, and taken before another is started', async () => {
  const { spare, started } = setUp()
  spare.refill()
  spare.refill()
  expect(started()).toBe(1)
  expect([await spare.take(), await spare.take()]).toEqual([1, 2])
})

test('what is given back is the next one; a second, or one that is of no use any more, is ended', async () => {
  const { spare, ended } = setUp()
  spare.give(7)
  spare.give(8)
  expect(await spare.take()).toBe(7)
  spare.give(13)
  expect(ended).toEqual([8, 13])
})

test('a refill that may wait starts nothing when one is given back in time', async () => {
  const { spare, started } = setUp(10)
  spare.refill()
  spare.give(7)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(started()).toBe(0)
  await spare.take()
  spare.refill()
  await until(() => started() === 1)
  await spare.stop()
})
