import { createLruCache } from '@millrace/platform/cache/lru.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { type Answer, createAnswerCache } from './answer-cache.ts'

const answerOf = (value: number): Answer => ({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(value) }], statistics: [0.1, value] })
const setUp = (cache = createLruCache({ maxBytes: 100_000 })) => createAnswerCache({ cache, metrics: createMetrics('test'), ttlMs: 60_000 })

test('an answer comes back as it was, with its statistics', async () => {
  const answers = setUp()
  await answers.answer('k', 'm', async () => answerOf(2))
  expect(await answers.answer('k', 'm', async () => answerOf(3))).toEqual({ answer: answerOf(2), cached: true })
  expect(await answers.answer('other', 'm', async () => answerOf(3))).toEqual({ answer: answerOf(3), cached: false })
})

test('a failure is not kept, and whoever waited behind one that was given up asks for himself', async () => {
  const answers = setUp()
  const gate = Promise.withResolvers<Answer>()
  const first = answers.answer('k', 'm', () => gate.promise).catch((error: unknown) => error)
  await Promise.resolve()
  const second = answers.answer('k', 'm', async () => answerOf(5))
  gate.reject(new AppError('CANCELLED', 'gone'))
  expect(await first).toMatchObject({ code: 'CANCELLED' })
  expect(await second).toMatchObject({ answer: answerOf(5) })
})

test('a model that fails fails for all who wait, once', async () => {
  const answers = setUp()
  const calls: string[] = []
  const gate = Promise.withResolvers<Answer>()
  const ask = (name: string) =>
    answers
      .answer('k', 'm', () => {
        calls.push(name)
        return gate.promise
      })
      .catch((error: Error) => error.message)
  const both = [ask('first'), ask('second')]
  await new Promise(setImmediate)
  gate.reject(new Error('broken'))
  expect(await Promise.all(both)).toEqual(['broken', 'broken'])
  expect(calls).toEqual(['first'])
})

test('bytes that cannot be read are a miss', async () => {
  const cache = createLruCache({ maxBytes: 100_000 })
  await cache.set('k', Buffer.from('\xff\xff\xff\x7fnonsense', 'latin1'), 60_000)
  expect(await setUp(cache).answer('k', 'm', async () => answerOf(1))).toEqual({ answer: answerOf(1), cached: false })
})
