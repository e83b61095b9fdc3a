import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classifySource, isArtifactPath, problemOfPromptSource, problemOfSource } from './source.ts'

test.each([
  'file:///etc/passwd',
  'file:/tmp/x',
  'FILE:///x',
  '/etc/passwd',
  'model',
  './model',
  '../model',
  'C:\\models',
  'file%3A///etc/passwd',
  '%66ile:///x',
  'file://host/share',
])('a local source is refused, with or without a run: %s', (source) => {
  expect(problemOfSource(source)).toBe(
    `Invalid model version source: '${source}'. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.`,
  )
})

test.each([
  'mlflow-artifacts:/1/../2/artifacts/model',
  'mlflow-artifacts:/1/%2e%2e/2',
  'mlflow-artifacts:/1/%252e%252e/2',
  'mlflow-artifacts:/1/%25252e%25252e/2',
  'mlflow-artifacts:/1/..%5c2',
  'mlflow-artifacts:/1/..\\2',
  'http://host/a/b?x=../../etc',
  'http://host/a#../../etc',
  's3://bucket/a/./b',
  'mlflow-artifacts:/1/a%00b',
  'mlflow-artifacts:/1/a\u0000b',
  'mlflow-artifacts:/1/a?b',
  'runs:/abc/model#fragment',
  `s3://bucket/${'%25'.repeat(1)}${'25'.repeat(30)}2e`,
])('a source that climbs, hides or cuts a path is refused: %s', (source) => {
  expect(problemOfSource(source)).toContain('an absolute path must be provided without relative path references present')
})

test.each([
  'mlflow-artifacts:/1/abc/artifacts/model',
  'runs:/abc/model',
  'models:/m-0123abcd',
  's3://bucket//a/',
  's3://bucket/....//a',
  'https://host/a?b=c',
  'runs:/abc/my%20model',
  'runs:/abc/100%',
  'runs:/abc/a%2525252520b',
])('an absolute source passes: %s', (source) => {
  expect(problemOfSource(source)).toBeNull()
})

test('no encoding of a climbing path passes', () => {
  const dots = fc.constantFrom('..', '%2e%2e', '%2E.', '.%2e', '%252e%252e', '%25252E.')
  const separator = fc.constantFrom('/', '%2f', '%5c', '\\', '%252f', '//')
  fc.assert(
    fc.property(dots, separator, separator, fc.constantFrom('mlflow-artifacts:/1', 's3://b', 'https://h/p?q='), (up, left, right, prefix) => {
      expect(problemOfSource(`${prefix}${left}${up}${right}etc`)).not.toBeNull()
    }),
  )
})

test.each([
  ['runs:/abc/model', { kind: 'tracked' }],
  ['mlflow-artifacts:/1/abc/artifacts/model', { kind: 'tracked' }],
  ['models:/m-0123', { kind: 'logged-model', modelId: 'm-0123' }],
  ['models:/fish/3', { kind: 'version', model: 'fish', reference: '3' }],
  ['models:/fish@champion', { kind: 'version', model: 'fish', reference: '@champion' }],
  ['mlflow-artifacts://host:80/1', { kind: 'external' }],
  ['s3://bucket/model', { kind: 'external' }],
])('%s is recognized', (source, expected) => {
  expect(classifySource(source)).toEqual(expected)
})

test("a prompt's source is a label, but never a local file", () => {
  expect(problemOfPromptSource('prompt-template')).toBeNull()
  for (const source of ['file:///etc/passwd', '/etc/passwd', '%2fetc/passwd', 'C:\\x', 'a/../../b'])
    expect(problemOfPromptSource(source)).toContain(`Invalid prompt source: '${source}'`)
})

test.each(['', '..', '../x', 'a/../b', '/abs', 'a//b', 'a/', '%2e%2e/x', 'file:x', 'a\\b', 'a#b', 'a\u0000'])('artifact path %j is refused', (path) => {
  expect(isArtifactPath(path)).toBe(false)
})

test.each(['model', 'deep/er/model', 'my model'])('artifact path %j is fine', (path) => {
  expect(isArtifactPath(path)).toBe(true)
})
