import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { expect, test } from 'vitest'
import { registrationOf } from './automatic-registration.ts'
import { exampleRun } from './example-run.ts'

const run = (rest: Partial<RunFinished> = {}): RunFinished =>
  exampleRun({
    tags: { 'millrace.register': 'fish', framework: 'tfjs', 'millrace.job': 'j-1', 'mlflow.user': 'ana' },
    params: { architecture: 'head', seed: '1' },
    metrics: { test_accuracy: 0.91234, val_accuracy: 0.9, loss: 0.3, epoch_seconds: 2 },
    ...rest,
  })

test('a finished run that is tagged for it becomes a version, described by what the run knows', () => {
  expect(registrationOf(run())).toEqual({
    kind: 'version',
    version: {
      model: 'fish',
      source: 'runs:/abc/model',
      storageLocation: 'mlflow-artifacts:/1/abc/artifacts/model',
      loggedModelId: null,
      policy: null,
      description: 'Registered by run bold-perch, test_accuracy 0.9123, trained on fish.',
      tags: {
        test_accuracy: '0.91234',
        val_accuracy: '0.9',
        loss: '0.3',
        framework: 'tfjs',
        architecture: 'head',
        'millrace.job': 'j-1',
        dataset: 'fish',
        dataset_digest: 'sha256:1',
        training_date: '2026-01-01T00:01:00.000Z',
        auto_registered: 'true',
      },
    },
  })
})

test('the path may be named by a tag', () => {
  const tags = { 'millrace.register': 'fish', 'millrace.register.path': 'export/best' }
  expect(registrationOf(run({ tags }))).toMatchObject({ version: { source: 'runs:/abc/export/best' } })
})

test.each([
  [run({ status: 'FAILED' }), 'not-finished'],
  [run({ tags: {} }), 'not-tagged'],
])('any other run registers nothing', (finished, reason) => {
  expect(registrationOf(finished)).toEqual({ kind: 'none', reason })
})

test.each([
  [{ 'millrace.register': 'a/b' }, "Invalid model name 'a/b'"],
  [{ 'millrace.register': ' ' }, 'millrace.register'],
  [{ 'millrace.register': 'fish', 'millrace.register.path': '../../secret' }, 'must be a relative path'],
  [{ 'millrace.register': 'fish', 'millrace.register.path': '%2e%2e/secret' }, 'must be a relative path'],
])('tags that cannot be followed are told apart: %j', (tags, reason) => {
  expect(registrationOf(run({ tags }))).toMatchObject({ kind: 'invalid', reason: expect.stringContaining(reason) })
})
