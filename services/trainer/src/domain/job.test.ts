import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cancel, dataArrived, type Ending, end, failToFinish, finish, isOver, type Job, retryPauseMs, start, succeed, type Transition, withRun } from './job.ts'

const queued: Job = {
  ...{ jobId: 'j', model: 'fish', dataset: '/data', experiment: 'fish', parameters: {}, register: true, timeoutMs: 1000, maxAttempts: 3, cause: '' },
  ...{ requestedBy: 'ana', state: 'queued', attempt: 0, failures: 0, runId: null, finishing: false, message: '', metrics: {} },
  ...{ unlikeDigest: null, dataDigest: null },
}
const after = (transition: Transition): Job => transition?.next ?? expect.fail('nothing changed')
const running = after(start(queued))
const done = { runId: 'r', metrics: { test_accuracy: 0.9 }, dataDigest: 'd' }
const finishing = after(finish(running, 1, done))
const transient: Ending = { kind: 'failed', reason: 'tracking is away', retryable: true }

test('a job runs, finishes its run, and succeeds', () => {
  expect(running).toMatchObject({ state: 'running', attempt: 1 })
  expect(finishing).toMatchObject({ state: 'running', finishing: true, runId: 'r' })
  expect(succeed(finishing, 1)).toMatchObject({ next: { state: 'succeeded', metrics: { test_accuracy: 0.9 } }, announcement: 'finished' })
})

test('what a dead attempt says is not listened to', () => {
  const second = after(start(after(end(running, 1, { kind: 'lost' }))))
  expect(second.attempt).toBe(2)
  expect(withRun(second, 1, 'r')).toBeNull()
  expect(finish(second, 1, done)).toBeNull()
  expect(end(second, 1, transient)).toBeNull()
  expect(succeed(second, 1)).toBeNull()
})

test('faults that pass are tried again as often as the job allows, bad data are not', () => {
  let job = running
  for (const attempt of [1, 2]) {
    job = after(end(job, attempt, transient))
    expect(job.state).toBe('queued')
    job = after(start(job))
  }
  expect(after(end(job, 3, transient))).toMatchObject({ state: 'failed', message: 'tracking is away; 3 of 3 attempts failed' })
  expect(after(end(running, 1, { kind: 'failed', reason: 'one class only', retryable: false }))).toMatchObject({ state: 'failed', message: 'one class only' })
})

test('a planned stop does not use up an attempt, a lost process does', () => {
  expect(after(end(running, 1, { kind: 'interrupted' }))).toMatchObject({ state: 'queued', failures: 0 })
  expect(after(end(running, 1, { kind: 'lost' }))).toMatchObject({ state: 'queued', failures: 1 })
})

test('a job that has not begun is cancelled at once, a running one when its worker has ended', () => {
  expect(after(cancel(queued, 'ana')).state).toBe('cancelled')
  const cancelling = after(cancel(running, 'ana'))
  expect(cancelling.state).toBe('cancelling')
  expect(finish(cancelling, 1, done)).toBeNull()
  for (const ending of [transient, { kind: 'lost' }, { kind: 'timed_out' }, { kind: 'interrupted' }] as const) {
    expect(end(cancelling, 1, ending)).toMatchObject({ next: { state: 'cancelled', message: 'Cancelled by ana' }, attemptEnd: { closeRunAs: 'KILLED' } })
  }
})

test('once a run is being finished there is no way back', () => {
  expect(cancel(finishing, 'ana')).toBeNull()
  expect(end(finishing, 1, { kind: 'lost' })).toBeNull()
  expect(after(failToFinish(finishing, 1, 'the run was deleted'))).toMatchObject({ state: 'failed', finishing: false })
})

test('a timeout is final', () => {
  expect(after(end(running, 1, { kind: 'timed_out' }))).toMatchObject({ state: 'timed_out', message: 'Took longer than 1000 ms' })
})

test('a job that waits for data is queued when they are there', () => {
  expect(after(dataArrived({ ...queued, state: 'waiting_for_data' })).state).toBe('queued')
  expect(dataArrived(running)).toBeNull()
})

test('pauses between attempts grow, up to a minute', () => {
  expect([1, 2, 3, 10, 1000].map((failures) => retryPauseMs(failures, 1000))).toEqual([1000, 2000, 4000, 60_000, 60_000])
})

const attempt = fc.integer({ min: 0, max: 4 })
const ending: fc.Arbitrary<Ending> = fc.constantFrom<Ending>(
  transient,
  { ...transient, retryable: false },
  { kind: 'timed_out' },
  { kind: 'lost' },
  { kind: 'interrupted' },
)
const command: fc.Arbitrary<(job: Job) => Transition> = fc.oneof(
  fc.constant(start),
  fc.constant(dataArrived),
  fc.constant((job: Job) => cancel(job, 'ana')),
  attempt.map((n) => (job: Job) => withRun(job, n, `run-${n}`)),
  attempt.map((n) => (job: Job) => finish(job, n, done)),
  attempt.map((n) => (job: Job) => succeed(job, n)),
  attempt.map((n) => (job: Job) => failToFinish(job, n, 'gone')),
  fc.tuple(attempt, ending).map(
    ([n, how]) =>
      (job: Job) =>
        end(job, n, how),
  ),
)

test('whatever happens in whatever order: one outcome, told once, and no more failures than allowed', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), fc.constantFrom('queued' as const, 'waiting_for_data' as const), (commands, state) => {
      let job: Job = { ...queued, state }
      let outcomes = 0
      for (const run of commands) {
        const transition = run(job)
        if (!transition) continue
        const { next, announcement, attemptEnd } = transition
        expect(isOver(job.state)).toBe(false)
        expect(next.attempt - job.attempt).toBe(announcement === 'started' ? 1 : 0)
        if (announcement === 'finished' || announcement === 'failed') outcomes += 1
        expect(isOver(next.state)).toBe(outcomes === 1)
        if (next.state === 'succeeded') expect(job.finishing).toBe(true)
        if (attemptEnd) expect(job.attempt).toBeGreaterThan(0)
        expect(next.failures).toBeLessThanOrEqual(next.maxAttempts)
        job = next
      }
      expect(outcomes).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})
