import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problemsOfRunEvent } from './check-run-event.ts'

const golden = new URL('../../golden/io.millrace.openlineage.run.v1/0/complete.json', import.meta.url)
const sample = (): Record<string, unknown> => JSON.parse(readFileSync(golden, 'utf8'))

/** The sample with one place changed, or taken away where the value is undefined. */
function changed(path: readonly (string | number)[], value?: unknown): Record<string, unknown> {
  const event = sample()
  let at: Record<string | number, unknown> = event
  for (const step of path.slice(0, -1)) at = Object(at[step])
  const last = path.at(-1) ?? ''
  if (value === undefined) delete at[last]
  else at[last] = value
  return event
}

test('the golden sample, with its eleven facets, is a RunEvent', () => {
  expect(problemsOfRunEvent(sample())).toEqual([])
})

test('an event that lost its run is none, although it would pass for a JobEvent', () => {
  expect(problemsOfRunEvent(changed(['run']))).toEqual([expect.stringContaining('run')])
})

test.each([
  [['eventTime']],
  [['producer']],
  [['schemaURL']],
  [['job']],
  [['run', 'runId']],
  [['job', 'namespace']],
  [['job', 'name']],
  [['inputs', 0, 'namespace']],
  [['outputs', 0, 'name']],
  [['run', 'facets', 'parent', '_producer']],
  [['run', 'facets', 'parent', '_schemaURL']],
  [['run', 'facets', 'parent', 'job']],
  [['run', 'facets', 'nominalTime', 'nominalStartTime']],
  [['run', 'facets', 'processing_engine', 'version']],
  [['run', 'facets', 'executionParameters', 'parameters', 0, 'key']],
  [['job', 'facets', 'jobType', 'integration']],
  [['job', 'facets', 'sourceCodeLocation', 'url']],
  [['inputs', 0, 'facets', 'version', 'datasetVersion']],
  [['inputs', 0, 'facets', 'schema', 'fields', 0, 'name']],
  [['inputs', 0, 'inputFacets', 'dataQualityMetrics', 'columnMetrics']],
  [['inputs', 0, 'inputFacets', 'dataQualityAssertions', 'assertions', 0, 'success']],
])('without %j it is none', (path) => {
  expect(problemsOfRunEvent(changed(path))).not.toEqual([])
})

test.each([
  [['run', 'runId'], 'r1'],
  [['eventType'], 'DONE'],
  [['eventTime'], 'yesterday'],
  [['producer'], 'trainer'],
  [['schemaURL'], 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent'],
  [['run', 'facets', 'parent', '_schemaURL'], 'https://openlineage.io/spec/facets/1-0-0/ParentRunFacet.json'],
  [['run', 'facets', 'mine'], { _producer: 'https://a.test', _schemaURL: 'https://a.test/s.json' }],
  [['outputs', 0, 'outputFacets', 'outputStatistics', 'size'], 1.5],
])('with %j as %j it is none', (path, value) => {
  expect(problemsOfRunEvent(changed(path, value))).not.toEqual([])
})

test('a facet of our own has a prefix', () => {
  expect(problemsOfRunEvent(changed(['run', 'facets', 'millrace_run'], { _producer: 'https://a.test', _schemaURL: 'https://a.test/s.json' }))).toEqual([])
})
