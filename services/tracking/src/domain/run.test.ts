import { expect, test } from 'vitest'
import { nameOfRun, type Run, updateRun } from './run.ts'

const run: Run = {
  runId: 'r1',
  runName: 'swift-pike-1',
  experimentId: 0,
  userId: 'ada',
  status: 'RUNNING',
  startTime: 1,
  endTime: null,
  artifactUri: 'mlflow-artifacts:/0/r1/artifacts',
  lifecycle: 'active',
}
const nothing = { status: null, endTime: null, runName: null }

test('a change to an end finishes the run, the same end again does not', () => {
  const ended = updateRun(run, { ...nothing, status: 'FINISHED', endTime: 9 }, 20)
  expect(ended).toEqual({ run: { ...run, status: 'FINISHED', endTime: 9 }, finished: true })
  expect(updateRun(ended.run, { ...nothing, status: 'FINISHED', endTime: 9 }, 30).finished).toBe(false)
  expect(updateRun(ended.run, { ...nothing, status: 'FAILED' }, 30)).toMatchObject({ finished: true })
})

test('a run that is resumed keeps its end and finishes again', () => {
  const ended = updateRun(run, { ...nothing, status: 'KILLED', endTime: 9 }, 20).run
  const resumed = updateRun(ended, { ...nothing, status: 'RUNNING' }, 30)
  expect(resumed).toEqual({ run: { ...ended, status: 'RUNNING' }, finished: false })
  expect(updateRun(resumed.run, { ...nothing, status: 'KILLED', endTime: 40 }, 50).finished).toBe(true)
})

test('an end without a time is now', () => {
  expect(updateRun(run, { ...nothing, status: 'FAILED' }, 20).run.endTime).toBe(20)
})

test('a run is named by the argument, the tag or at random, and two names must agree', () => {
  expect(nameOfRun('a', undefined, 'r')).toEqual({ kind: 'name', name: 'a' })
  expect(nameOfRun(undefined, 'b', 'r')).toEqual({ kind: 'name', name: 'b' })
  expect(nameOfRun('', '', 'r')).toEqual({ kind: 'name', name: 'r' })
  expect(nameOfRun('a', 'a', 'r')).toEqual({ kind: 'name', name: 'a' })
  expect(nameOfRun('A', 'B', 'r')).toEqual({
    kind: 'refused',
    message: "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='A', mlflow.runName='B').",
  })
})
