import { createLruCache } from '@millrace/platform/cache/lru.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { type Answer, createAnswerCache } from './answer-cache.ts'

const answerOf = (value: number): Answer => ({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(value) }], statistics: [0.1, value] })
const settings = { ttlMs: 60_000, maxEntries: 1000, maxBytes: 1_000_000 }
const question = (contentKey: string, digest = 'd') => ({
  ...{ model: 'm', digest, contentKey: () => contentKey, settings },
  deadlineMs: 1_000_000_000,
  signal: new AbortController().signal,
})
const setUp = (cache = createLruCache({ maxBytes: 100_000 })) => createAnswerCache({ cache, metrics: createMetrics('test') })

test('an answer comes back as it was, with its statistics', async () => {
  const answers = setUp()
  await answers.answer(question('k'), async () => answerOf(2))
  expect(await answers.answer(question('k'), async () => answerOf(3))).toEqual({ answer: answerOf(2), cached: true })
  expect(await answers.answer(question('other'), async () => answerOf(3))).toEqual({ answer: answerOf(3), cached: false })
})

test('a failure is not kept, and whoever waited behind one that was given up asks for himself', async () => {
  const answers = setUp()
  const gate = Promise.withResolvers<Answer>()
  const first = answers.answer(question('k'), () => gate.promise).catch((error: unknown) => error)
  await Promise.resolve()
  const second = answers.answer(question('k'), async () => answerOf(5))
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
      .answer(question('k'), () => {
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
  await cache.set('inference:m:d:k', Buffer.from('\xff\xff\xff\x7fnonsense', 'latin1'), 60_000)
  expect(await setUp(cache).answer(question('k'), async () => answerOf(1))).toEqual({ answer: answerOf(1), cached: false })
})

test('one run for all who ask the same at the same time, however slow the shared cache is', async () => {
  const gate = Promise.withResolvers<null>()
  const answers = setUp({ get: () => gate.promise, set: async () => undefined, delete: async () => undefined })
  const runs: number[] = []
  const asked = Array.from({ length: 20 }, (_, index) =>
    answers.answer(question('k'), async () => {
      runs.push(index)
      return answerOf(index)
    }),
  )
  gate.resolve(null)
  const given = await Promise.all(asked)
  expect(runs).toHaveLength(1)
  expect(new Set(given.map(({ answer }) => answer)).size).toBe(1)
})

test('what one pod computed, another finds in the shared cache; then each has its own', async () => {
  const cache = createLruCache({ maxBytes: 100_000 })
  const looked: string[] = []
  const shared = {
    ...cache,
    get(key: string) {
      looked.push(key)
      return cache.get(key)
    },
  }
  await setUp(cache).answer(question('k'), async () => answerOf(2))
  const other = setUp(shared)
  for (let time = 0; time < 3; time++) expect(await other.answer(question('k'), async () => answerOf(3))).toEqual({ answer: answerOf(2), cached: true })
  expect(looked).toHaveLength(1)
})

test('another digest is another question, and a freed version leaves nothing in this process', async () => {
  const answers = createAnswerCache({
    cache: { get: async () => null, set: async () => undefined, delete: async () => undefined },
    metrics: createMetrics('test'),
  })
  await answers.answer(question('k', 'old'), async () => answerOf(1))
  expect(await answers.answer(question('k', 'new'), async () => answerOf(2))).toEqual({ answer: answerOf(2), cached: false })
  answers.forget('m', 'old')
  expect(await answers.answer(question('k', 'old'), async () => answerOf(4))).toEqual({ answer: answerOf(4), cached: false })
  expect(await answers.answer(question('k', 'new'), async () => answerOf(5))).toMatchObject({ cached: true })
})

test('a time of zero reuses nothing', async () => {
  const off = { ...question('k'), settings: { ...settings, ttlMs: 0 } }
  const answers = setUp()
  await answers.answer(off, async () => answerOf(1))
  expect(await answers.answer(off, async () => answerOf(2))).toEqual({ answer: answerOf(2), cached: false })
})

test('nobody waits for what another asked beyond his own deadline', async () => {
  const answers = setUp()
  const gate = Promise.withResolvers<Answer>()
  const first = answers.answer(question('k'), () => gate.promise)
  await new Promise(setImmediate)
  const late = answers.answer({ ...question('k'), deadlineMs: 0 }, async () => answerOf(1))
  await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  gate.resolve(answerOf(2))
  expect(await first).toEqual({ answer: answerOf(2), cached: false })
})
