import { z } from 'zod'
import { type DataOf, defineEvent } from './event.ts'

/** Said of every facet: who wrote it, and which schema it follows. */
const facets = z.record(z.string(), z.looseObject({ _producer: z.string(), _schemaURL: z.string() }))
const dataset = { namespace: z.string().min(1), name: z.string().min(1), facets: facets.optional() }

/** OpenLineage 2-0-2, RunEvent (https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent): the data of the event is that event itself. */
export const openLineageRun = defineEvent({
  name: 'OpenLineageRun',
  type: 'io.millrace.openlineage.run.v1',
  minor: 0,
  topic: 'millrace.openlineage.v1',
  description: 'A training run or the registration of a version began or ended, as an OpenLineage RunEvent.',
  data: z.looseObject({
    eventType: z.string().meta({ 'x-known-values': ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'] }),
    eventTime: z.iso.datetime(),
    producer: z.string(),
    schemaURL: z.string(),
    run: z.looseObject({ runId: z.string(), facets: facets.optional() }),
    job: z.looseObject({ namespace: z.string().min(1), name: z.string().min(1), facets: facets.optional() }),
    inputs: z.array(z.looseObject({ ...dataset, inputFacets: facets.optional() })).optional(),
    outputs: z.array(z.looseObject({ ...dataset, outputFacets: facets.optional() })).optional(),
  }),
})
export type OpenLineageRun = DataOf<typeof openLineageRun>
