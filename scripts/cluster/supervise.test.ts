import { spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { until } from '../../platform/src/testing/until.ts'
import { type Supervised, supervise } from './supervise.ts'

const running: Supervised[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.stop(1000)))
})

function superviseScript(script: string, options: { settledMs?: number } = {}) {
  const ends: { reason: string; pauseMs: number }[] = []
  const pids: number[] = []
  const part = supervise({
    name: 'example',
    start: () => spawn(process.execPath, ['-e', script], { stdio: 'ignore' }),
    onStart: (pid) => pids.push(pid),
    onEnd: (reason, pauseMs) => ends.push({ reason, pauseMs }),
    firstPauseMs: 5,
    longestPauseMs: 20,
    ...options,
  })
  running.push(part)
  return { part, ends, pids }
}

test('a process that is killed is started again', async () => {
  const { part, ends, pids } = superviseScript('setInterval(() => {}, 1000)')
  await until(() => part.pid() !== null)
  process.kill(part.pid() ?? 0, 'SIGKILL')
  await until(() => pids.length === 2)
  expect(ends).toEqual([{ reason: 'ended by SIGKILL', pauseMs: 5 }])
  expect(part.restarts()).toBe(1)
})

test('one that keeps ending is started after longer and longer pauses, up to a limit', async () => {
  const { ends } = superviseScript('process.exit(3)')
  await until(() => ends.length >= 4)
  expect(ends.slice(0, 4).map(({ pauseMs }) => pauseMs)).toEqual([5, 10, 20, 20])
  expect(ends[0]?.reason).toBe('ended with 3')
})

test('one that ran long enough begins with the first pause again', async () => {
  const { ends } = superviseScript('process.exit(0)', { settledMs: 0 })
  await until(() => ends.length >= 3)
  expect(ends.slice(0, 3).map(({ pauseMs }) => pauseMs)).toEqual([5, 5, 5])
})

test('stopping ends the process and starts no other', async () => {
  const { part, pids, ends } = superviseScript('setInterval(() => {}, 1000)')
  await until(() => part.pid() !== null)
  await part.stop(5000)
  expect(part.pid()).toBeNull()
  expect([pids.length, ends]).toEqual([1, []])
})

test('one that does not hear is ended when its grace is over', async () => {
  const { part } = superviseScript(`process.on('SIGTERM', () => {}); process.title = 'deaf'; setInterval(() => {}, 1000)`)
  await until(() => part.pid() !== null)
  await part.stop(300)
  expect(part.pid()).toBeNull()
})

test('a program that is not there is told of, and tried again', async () => {
  const reasons: string[] = []
  const part = supervise({
    name: 'example',
    start: () => spawn('/no/such/program'),
    onStart: () => undefined,
    onEnd: (reason) => reasons.push(reason),
    firstPauseMs: 5,
  })
  running.push(part)
  await until(() => reasons.length >= 2)
  expect(reasons[0]).toMatch(/could not be started: .*ENOENT/)
})
