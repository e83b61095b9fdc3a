import { TransientError } from '@millrace/platform/errors.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Batcher, type BatcherOptions, type Executor } from './batcher.ts'
import type { Tensor } from './domain/tensor.ts'

const column = (...values: number[]): Tensor => ({ name: 'x', datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) })
const valuesOf = (tensors: readonly Tensor[]): number[] => Array.from<number | bigint | string>(tensors[0]?.data ?? []).map(Number)
const never = new AbortController().signal

function setUp(options: Partial<BatcherOptions> = {}) {
  const clock = { ms: 0 }
  const batches: number[] = []
  const batcher = new Batcher({
    maxRows: 4,
    maxQueueRows: 8,
    maxDelayMs: 0,
    batchable: true,
    now: () => clock.ms,
    onBatch: ({ rows }) => batches.push(rows),
    ...options,
  })
  const submit = (values: number[], deadlineMs = 1000, signal = never) =>
    batcher.submit({ inputs: [column(...values)], rows: values.length, deadlineMs, signal }).then(valuesOf)
  return { batcher, batches, clock, submit }
}

/** Doubles every value, when it is let go. */
function manualExecutor() {
  const runs: { rows: number; finish: () => void; fail: (error: Error) => void }[] = []
  const executor: Executor = {
    run(inputs) {
      const { promise, resolve, reject } = Promise.withResolvers<Tensor[]>()
      const finish = () => resolve(inputs.map((input) => ({ ...input, data: Float32Array.from(valuesOf([input]), (value) => value * 2) })))
      runs.push({ rows: inputs[0]?.shape[0] ?? 0, finish, fail: reject })
      return promise
    },
  }
  return { executor, runs }
}

const doubling = (): Executor => ({
  run: async (inputs) => inputs.map((input) => ({ ...input, data: Float32Array.from(valuesOf([input]), (value) => value * 2) })),
})
const code = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error)

test('an idle executor takes a request at once, alone', async () => {
  const { batcher, batches, submit } = setUp()
  batcher.add(doubling())
  expect(await submit([1])).toEqual([2])
  expect(batches).toEqual([1])
})

test('what queued up while the executor was busy runs as one batch', async () => {
  const { batcher, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const answers = [submit([1]), submit([2]), submit([3, 4])]
  runs[0]?.finish()
  await answers[0]
  await Promise.resolve()
  runs[1]?.finish()
  expect(await Promise.all(answers)).toEqual([[2], [4], [6, 8]])
  expect(runs.map(({ rows }) => rows)).toEqual([1, 3])
})

test('a request above the batch size is cut and joined again', async () => {
  const { batcher, batches, submit } = setUp()
  batcher.add(doubling())
  expect(await submit([1, 2, 3, 4, 5, 6, 7])).toEqual([2, 4, 6, 8, 10, 12, 14])
  expect(batches).toEqual([4, 3])
})

test('one bad request of a batch fails alone', async () => {
  const { batcher, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add({
    run: (inputs) => (valuesOf(inputs).includes(13) ? executor.run(inputs).then(() => Promise.reject(new Error('thirteen'))) : executor.run(inputs)),
  })
  const answers = [submit([1]), submit([2]), submit([13])].map((answer) => answer.catch((error: Error) => error.message))
  for (let turn = 0; turn < 4; turn++) {
    while (!runs[turn]) await Promise.resolve()
    runs[turn]?.finish()
  }
  expect(await Promise.all(answers)).toEqual([[2], [4], 'thirteen'])
})

test('what was on a thread that is lost runs on another one', async () => {
  const { batcher, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const answer = submit([1])
  batcher.remove(executor)
  batcher.add(doubling())
  runs[0]?.fail(new TransientError('the worker thread ended'))
  expect(await answer).toEqual([2])
})

test('a full queue refuses with the reason and a time to come back', async () => {
  const { batcher, submit } = setUp()
  batcher.add(manualExecutor().executor)
  const held = Array.from({ length: 9 }, (_, i) => submit([i]))
  const error = await submit([1]).catch((refused: unknown) => refused)
  expect(error).toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE', details: { reason: 'queue_full' } })
  for (const answer of held) answer.catch(() => undefined)
})

test('a deadline that has passed never executes', async () => {
  const { batcher, clock, batches, submit } = setUp()
  batcher.add(doubling())
  clock.ms = 5
  expect(code(await submit([1], 5).catch((error: unknown) => error))).toBe('DEADLINE_EXCEEDED')
  expect(batches).toEqual([])
})

test('a deadline that cannot be met is refused at the door', async () => {
  const { batcher, clock, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const first = submit([1])
  clock.ms = 100
  runs[0]?.finish()
  await first
  expect(await submit([1], 150).catch((error: unknown) => error)).toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE', details: { reason: 'deadline' } })
})

test('a client that has gone leaves the queue', async () => {
  const { batcher, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const gone = new AbortController()
  const first = submit([1])
  const second = submit([2], 1000, gone.signal)
  gone.abort()
  expect(code(await second.catch((error: unknown) => error))).toBe('CANCELLED')
  runs[0]?.finish()
  await first
  expect(runs).toHaveLength(1)
})

test('whatever comes in whatever order, every request is answered once, with its own rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(100), { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 20 }), async (requests) => {
      const { batcher, batches, submit } = setUp({ maxQueueRows: 1000 })
      batcher.add(doubling())
      batcher.add(doubling())
      const answers = await Promise.all(requests.map((values) => submit(values)))
      expect(answers).toEqual(requests.map((values) => values.map((value) => value * 2)))
      expect(Math.max(...batches)).toBeLessThanOrEqual(4)
    }),
    { numRuns: 50 },
  )
})

test('with a delay a batch that is not full waits for company, and goes when it is full or the time is over', async () => {
  const { batcher, batches, clock, submit } = setUp({ maxDelayMs: 20 })
  batcher.add(doubling())
  const full = [submit([1, 2]), submit([3]), submit([4])]
  expect(await Promise.all(full)).toEqual([[2, 4], [6], [8]])
  const lonely = submit([5])
  clock.ms = 21
  expect(await lonely).toEqual([10])
  expect(batches).toEqual([4, 1])
})

test('what expired in the queue is not run, even where its timer is late', async () => {
  const { batcher, clock, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const first = submit([1])
  const second = submit([2], 50).catch(code)
  clock.ms = 50
  runs[0]?.finish()
  await first
  expect(await second).toBe('DEADLINE_EXCEEDED')
  expect(runs).toHaveLength(1)
})

test('what nobody waits for is refused where anything waits', async () => {
  const { batcher, submit } = setUp()
  const { executor, runs } = manualExecutor()
  batcher.add(executor)
  const background = () => batcher.submit({ inputs: [column(9)], rows: 1, deadlineMs: 1000, signal: never, background: true })
  const answers = [submit([1]), submit([2])]
  await expect(background()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE', details: { reason: 'queue_full' } })
  runs[0]?.finish()
  await answers[0]
  await Promise.resolve()
  runs[1]?.finish()
  await Promise.all(answers)
})

test('limits that change hold from the next request on, and it is told how long the oldest waits while nobody is idle', async () => {
  const waits: number[] = []
  const { batcher, clock, submit } = setUp({ onPressure: (waitMs) => waits.push(waitMs) })
  const { executor } = manualExecutor()
  batcher.add(executor)
  void submit([1])
  void submit([2])
  clock.ms = 7
  void submit([3])
  expect(waits).toEqual([0, 7])
  batcher.configure({ maxRows: 2, maxQueueRows: 2, maxDelayMs: 0 })
  expect(code(await submit([4]).catch((error: unknown) => error))).toBe('TEMPORARILY_UNAVAILABLE')
})

test('requests that arrive in one turn run as one batch, though an executor is idle', async () => {
  const turns: (() => void)[] = []
  const { batcher, batches, submit } = setUp({ afterArrivals: (then) => turns.push(then) })
  batcher.add(doubling())
  const answers = [submit([1]), submit([2]), submit([3])]
  expect(turns).toHaveLength(1)
  turns[0]?.()
  expect(await Promise.all(answers)).toEqual([[2], [4], [6]])
  expect(batches).toEqual([3])
  const next = submit([4])
  turns[1]?.()
  expect(await next).toEqual([8])
})

test('work that is worth it is shared out over the executors that are idle', async () => {
  const turns: (() => void)[] = []
  const { batcher, batches, clock, submit } = setUp({ afterArrivals: (then) => turns.push(then) })
  const slow = (): Executor => ({
    run(inputs) {
      clock.ms += 10
      return doubling().run(inputs)
    },
  })
  batcher.add(slow())
  batcher.add(slow())
  const first = submit([1])
  turns[0]?.()
  await first
  const answers = [1, 2, 3, 4].map((value) => submit([value]))
  turns[1]?.()
  expect(await Promise.all(answers)).toEqual([[2], [4], [6], [8]])
  expect(batches).toEqual([1, 2, 2])
})

test('what waits for others in a slow batch presses for another executor, as what waits in the queue does', async () => {
  const waits: number[] = []
  const turns: (() => void)[] = []
  const { batcher, clock, submit } = setUp({ afterArrivals: (then) => turns.push(then), onPressure: (waitMs) => waits.push(waitMs) })
  batcher.add({
    run(inputs) {
      clock.ms += 100
      return doubling().run(inputs)
    },
  })
  const alone = submit([1])
  turns[0]?.()
  await alone
  expect(waits).toEqual([])
  const together = [submit([1]), submit([2])]
  turns[1]?.()
  await Promise.all(together)
  expect(waits).toEqual([50])
})
