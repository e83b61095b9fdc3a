import { z } from 'zod'

const BASE = 'https://openlineage.io/spec/facets'
const time = z.iso.datetime({ offset: true })
const job = z.looseObject({ namespace: z.string(), name: z.string() })
const run = z.looseObject({ runId: z.guid() })
const text = z.string()
const count = z.number()

export interface FacetRule {
  /** Where the facet's JSON schema is published. */
  readonly url: string
  readonly schema: z.ZodType
}

const rule = (version: string, file: string, fields: Record<string, z.ZodType>): FacetRule => ({
  url: `${BASE}/${version}/${file}.json`,
  schema: z.looseObject(fields),
})

/** The standard facets of a run that Millrace writes or reads, with the fields that their published schemas require. */
export const runFacets = {
  nominalTime: rule('1-0-1', 'NominalTimeRunFacet', { nominalStartTime: time, nominalEndTime: time.optional() }),
  parent: rule('1-2-0', 'ParentRunFacet', { run, job, root: z.looseObject({ run, job }).optional() }),
  errorMessage: rule('1-0-1', 'ErrorMessageRunFacet', { message: text, programmingLanguage: text, stackTrace: text.optional() }),
  processing_engine: rule('1-1-1', 'ProcessingEngineRunFacet', { version: text, name: text.optional(), openlineageAdapterVersion: text.optional() }),
  executionParameters: rule('1-0-0', 'ExecutionParametersRunFacet', {
    parameters: z.array(z.looseObject({ key: text, name: text.optional(), description: text.optional(), value: text.optional() })),
  }),
} as const satisfies Record<string, FacetRule>

export const jobFacets = {
  jobType: rule('2-0-4', 'JobTypeJobFacet', { processingType: text, integration: text, jobType: text.optional() }),
  sourceCodeLocation: rule('1-1-0', 'SourceCodeLocationJobFacet', { type: text, url: z.url(), version: text.optional(), branch: text.optional() }),
} as const satisfies Record<string, FacetRule>

export const datasetFacets = {
  version: rule('1-0-1', 'DatasetVersionDatasetFacet', { datasetVersion: text }),
  dataSource: rule('1-0-1', 'DatasourceDatasetFacet', { name: text.optional(), uri: z.url().optional() }),
  schema: rule('1-2-0', 'SchemaDatasetFacet', { fields: z.array(z.looseObject({ name: text, type: text.optional() })).optional() }),
} as const satisfies Record<string, FacetRule>

const columnMetrics = z.record(
  z.string(),
  z.looseObject({ nullCount: count.optional(), min: count.optional(), max: count.optional(), quantiles: z.record(z.string(), count).optional() }),
)

export const inputFacets = {
  dataQualityMetrics: rule('1-0-3', 'DataQualityMetricsInputDatasetFacet', { rowCount: z.int().optional(), bytes: z.int().optional(), columnMetrics }),
  dataQualityAssertions: rule('1-1-0', 'DataQualityAssertionsDatasetFacet', {
    assertions: z.array(z.looseObject({ assertion: text, success: z.boolean(), column: text.optional() })),
  }),
} as const satisfies Record<string, FacetRule>

export const outputFacets = {
  outputStatistics: rule('1-0-2', 'OutputStatisticsOutputDatasetFacet', {
    rowCount: z.int().optional(),
    size: z.int().optional(),
    fileCount: z.int().optional(),
  }),
} as const satisfies Record<string, FacetRule>
