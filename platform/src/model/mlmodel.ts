import { type Column, column } from '@millrace/contracts/model/model-spec.ts'
import { parse } from 'yaml'
import { z } from 'zod'
import { AppError } from '../errors.ts'

/** What MLflow's `MLmodel` file says about a model that concerns serving. */
export interface Mlmodel {
  readonly flavors: readonly string[]
  /** The ONNX flavor's file. */
  readonly onnxFile: string | null
  /** Columns of the signature's input; none where it names tensors, or where there is no signature. */
  readonly columns: readonly Column[] | null
  /** Files that hold the logged input example, best first. */
  readonly exampleFiles: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
}

export const MLMODEL_FILE = 'MLmodel'
export const MAX_MLMODEL_BYTES = 1_048_576
const MAX_ALIASES = 100

const text = z.string().nullish().catch(null)
const record = z.record(z.string(), z.unknown()).catch({})
const mlmodel = z.looseObject({
  flavors: z.record(z.string(), record).catch({}),
  signature: z.looseObject({ inputs: text }).nullish().catch(null),
  saved_input_example_info: z.looseObject({ serving_input_path: text, artifact_path: text }).nullish().catch(null),
  metadata: record,
})

/** ColSpec types that are one value per cell. */
const scalarTypes = ['boolean', 'integer', 'long', 'float', 'double', 'string', 'binary', 'datetime']
const columns = z.array(column.refine(({ type }) => scalarTypes.includes(type))).min(1)

function readYaml(content: string): unknown {
  try {
    return parse(content, { schema: 'core', maxAliasCount: MAX_ALIASES, logLevel: 'error' })
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `${MLMODEL_FILE} is not readable YAML: log the model again with an MLflow client`, { cause })
  }
}

/** The signature is JSON within the YAML; tensors in it, and anything else that is no table, are left to the network itself. */
function columnsOf(json: string | null | undefined): Column[] | null {
  try {
    const parsed = columns.safeParse(JSON.parse(json ?? 'null'))
    const distinct = new Set(parsed.data?.map(({ name }) => name)).size === parsed.data?.length
    return parsed.success && distinct ? parsed.data : null
  } catch {
    return null
  }
}

/**
 * Reads an `MLmodel` file (YAML 1.2 core schema: no tags that make objects, aliases bounded). Fields of another shape than MLflow writes count as absent.
 * @throws AppError INVALID_PARAMETER_VALUE when it is no YAML mapping
 */
export function parseMlmodel(content: string): Mlmodel {
  const parsed = mlmodel.safeParse(readYaml(content))
  if (!parsed.success)
    throw new AppError('INVALID_PARAMETER_VALUE', `${MLMODEL_FILE} is not a YAML mapping with flavors: log the model again with an MLflow client`)
  const { flavors, signature, saved_input_example_info: example, metadata } = parsed.data
  const data = flavors['onnx']?.['data']
  return {
    flavors: Object.keys(flavors),
    onnxFile: typeof data === 'string' ? data : null,
    columns: columnsOf(signature?.inputs),
    exampleFiles: [example?.serving_input_path, example?.artifact_path].flatMap((path) => path ?? []),
    metadata,
  }
}
