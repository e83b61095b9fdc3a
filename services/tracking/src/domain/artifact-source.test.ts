import { expect, test } from 'vitest'
import { loggedModelRoot, parseArtifactSource, proxiedPath, refuseArtifactLocation, runRoot } from './artifact-source.ts'

test('the kinds of source are told apart', () => {
  expect(parseArtifactSource('mlflow-artifacts:/0/r1/artifacts/model')).toEqual({ kind: 'path', path: '0/r1/artifacts/model' })
  expect(parseArtifactSource('mlflow-artifacts://host:5000/0/r1/artifacts/model')).toEqual({ kind: 'path', path: '0/r1/artifacts/model' })
  expect(parseArtifactSource('runs:/r1/model/x')).toEqual({ kind: 'run', runId: 'r1', path: 'model/x' })
  expect(parseArtifactSource('runs:/r1')).toEqual({ kind: 'run', runId: 'r1', path: '' })
  expect(parseArtifactSource('models:/m-0a1b')).toEqual({ kind: 'logged-model', modelId: 'm-0a1b', path: '' })
  expect(parseArtifactSource('s3://bucket/x/r1/')).toEqual({ kind: 'bucket', place: { bucket: 'bucket', key: 'x/r1' } })
})

test.each([
  '',
  'file:///etc/passwd',
  '/etc/passwd',
  'gs://bucket/x',
  's3://bucket',
  's3://bucket/../x',
  'models:/fish/1',
  'runs://r1/model',
  'runs:/r1/../x',
  'runs:/r1/%252e%252e/x',
  'mlflow-artifacts:/',
  'mlflow-artifacts:/../x',
  'mlflow-artifacts:/a#b',
  'mlflow-artifacts:/a?b',
])('%j is no source that can be sealed', (source) => {
  expect(parseArtifactSource(source)).toBeNull()
})

test('roots lie under the location of the experiment', () => {
  expect(runRoot('mlflow-artifacts:/7', 'r1')).toBe('mlflow-artifacts:/7/r1/artifacts')
  expect(loggedModelRoot('s3://bucket/x/', 'm-1')).toBe('s3://bucket/x/models/m-1/artifacts')
  expect(proxiedPath('mlflow-artifacts:/7/r1/artifacts')).toBe('7/r1/artifacts')
  expect(proxiedPath('s3://bucket/x')).toBeNull()
})

test.each([
  'runs:/x',
  'http://host/#/../../etc',
  'http://host/;a',
  'http://host/?/../../etc',
  'http://host/?%2e%2e',
  'mlflow-artifacts:/..',
  `s3://${'x'.repeat(2048)}`,
])('an experiment may not lie at %j', (location) => {
  expect(refuseArtifactLocation(location)).not.toBeNull()
})

test('an experiment may lie in another store or under a path of this one', () => {
  expect(refuseArtifactLocation('s3://bucket/folder')).toBeNull()
  expect(refuseArtifactLocation('mlflow-artifacts:/team/a')).toBeNull()
})
