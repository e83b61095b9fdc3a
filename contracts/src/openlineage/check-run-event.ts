import { z } from 'zod'
import { openLineageRun } from '../events/openlineage-events.ts'
import { datasetFacets, type FacetRule, inputFacets, jobFacets, outputFacets, runFacets } from './facet-rules.ts'

export const RUN_EVENT_SCHEMA = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'

const TYPES = ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER']

/** Our own facets need a prefix, so that they never meet a standard one. */
const CUSTOM = /^millrace_[A-Za-z]+$/

/**
 * What is wrong with an OpenLineage RunEvent: its own rules, and for each facet those of its published schema. Checked as a RunEvent alone: an event that lost
 * its `run` would still pass for a JobEvent.
 */
export function problemsOfRunEvent(event: unknown): string[] {
  const parsed = openLineageRun.data.safeParse(event)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const { eventType, producer, schemaURL, run, job, inputs = [], outputs = [] } = parsed.data
  return [
    ...(isUri(producer) ? [] : [`producer: '${producer}' is no URI`]),
    ...(z.guid().safeParse(run.runId).success ? [] : [`run.runId: '${run.runId}' is no UUID`]),
    ...(TYPES.includes(eventType) ? [] : [`eventType: '${eventType}' is none of ${TYPES.join(', ')}`]),
    ...(schemaURL === RUN_EVENT_SCHEMA ? [] : [`schemaURL: expected ${RUN_EVENT_SCHEMA}`]),
    ...checkFacets('run', run.facets, runFacets),
    ...checkFacets('job', job.facets, jobFacets),
    ...[...inputs, ...outputs].flatMap(({ name, facets }) => checkFacets(name, facets, datasetFacets)),
    ...inputs.flatMap((input) => checkFacets(input.name, input.inputFacets, inputFacets)),
    ...outputs.flatMap((output) => checkFacets(output.name, output.outputFacets, outputFacets)),
  ]
}

const isUri = (text: string): boolean => z.url().safeParse(text).success

function checkFacets(
  of: string,
  facets: Readonly<Record<string, { _producer: string; _schemaURL: string }>> = {},
  rules: Readonly<Record<string, FacetRule>>,
): string[] {
  return Object.entries(facets).flatMap(([name, facet]) => {
    if (!isUri(facet._producer) || !isUri(facet._schemaURL)) return [`${of}.${name}: _producer and _schemaURL must be URIs`]
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule) return CUSTOM.test(name) ? [] : [`${of}.${name}: no standard facet, and none with the prefix 'millrace_'`]
    const parsed = rule.schema.safeParse(facet)
    const problems = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${of}.${name}.${path.join('.')}: ${message}`)
    return facet._schemaURL === rule.url ? problems : [...problems, `${of}.${name}._schemaURL: expected ${rule.url}`]
  })
}
