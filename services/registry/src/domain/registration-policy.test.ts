import { expect, test } from 'vitest'
import { registrationByPolicy } from './automatic-registration.ts'
import { exampleRun } from './example-run.ts'
import { modelNameFor, problemOfTemplate, type RegistrationPolicy } from './registration-policy.ts'

const policy: RegistrationPolicy = {
  name: 'good-fish',
  experimentIds: ['1'],
  conditions: [{ entity: 'metric', key: 'val_accuracy', comparator: '>=', value: 0.9 }],
  model: 'fish-{tag.species}',
  artifactPath: null,
}

const datasets = [{ name: 'fish', digest: 'sha256:1', context: 'train', rows: 150 }]

test('a run that matches is registered under the name that the policy makes of it, described by the run and the policy', () => {
  expect(registrationByPolicy(exampleRun({ tags: { species: 'trout', estimator_class: 'sklearn.svm.SVC', estimator_name: 'SVC' }, datasets }), policy)).toEqual(
    {
      kind: 'version',
      version: {
        model: 'fish-trout',
        source: 'runs:/abc/model',
        storageLocation: 'mlflow-artifacts:/1/abc/artifacts/model',
        loggedModelId: null,
        policy: 'good-fish',
        description: 'Registered by run bold-perch under policy good-fish, val_accuracy 0.93, trained on fish.',
        tags: {
          ...{ val_accuracy: '0.93', framework: 'sklearn', architecture: 'SVC', samples: '150', dataset: 'fish', dataset_digest: 'sha256:1' },
          ...{ training_date: '2026-01-01T00:01:00.000Z', auto_registered: 'true', registration_policy: 'good-fish' },
        },
      },
    },
  )
})

test('the model that a client logged last is taken where no path is named', () => {
  const outputs = [
    { modelId: 'm-1', step: 0 },
    { modelId: 'm-3', step: 2 },
    { modelId: 'm-2', step: 1 },
  ]
  expect(registrationByPolicy(exampleRun({ outputs }), policy)).toMatchObject({
    version: { source: 'models:/m-3', storageLocation: 'mlflow-artifacts:/1/models/m-3/artifacts', loggedModelId: 'm-3' },
  })
  expect(registrationByPolicy(exampleRun({ outputs }), { ...policy, artifactPath: 'best' })).toMatchObject({ version: { source: 'runs:/abc/best' } })
  expect(registrationByPolicy(exampleRun({ outputs, artifactUri: 's3://lake/x' }), policy)).toMatchObject({ version: { storageLocation: 'models:/m-3' } })
})

test.each([
  ['of another experiment', { experimentId: '2' }, { kind: 'none', reason: 'not-matched' }],
  ['below the threshold', { metrics: { val_accuracy: 0.89 } }, { kind: 'none', reason: 'not-matched' }],
  ['without the metric', { metrics: {} }, { kind: 'none', reason: 'not-matched' }],
  ['that failed', { status: 'FAILED' }, { kind: 'none', reason: 'not-finished' }],
  ['without the tag of the name', { tags: {} }, { kind: 'invalid', reason: expect.stringContaining('lacks') }],
  ['with a tag that makes no name', { tags: { species: 'a/b' } }, { kind: 'invalid', reason: expect.stringContaining("cannot contain '/'") }],
])('a run %s is not registered', (_what, rest, expected) => {
  expect(registrationByPolicy(exampleRun(rest), policy)).toEqual(expected)
})

test('every placeholder is filled from the run', () => {
  expect(modelNameFor('{user}-{experiment_id}-{run_name}-{param.lr}-{tag.team}', exampleRun())).toBe('ana-1-bold-perch-0.1-fish')
  expect(modelNameFor('{param.toString}', exampleRun())).toBeNull()
})

test.each(['', '  ', 'a/b', 'a:b', '{nothing}', '{tag.}', 'open{', 'x'.repeat(257), 'nul\0'])('the template %j is refused', (template) => {
  expect(problemOfTemplate(template)).not.toBeNull()
})

test.each(['fish', 'fish-{tag.a/b}', '{run_name}'])('the template %j is fine', (template) => {
  expect(problemOfTemplate(template)).toBeNull()
})
