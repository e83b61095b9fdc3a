import type { TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { convertValues } from './convert-values.ts'
import type { Table } from './parse-csv.ts'
import { isObject } from './parse-infer-body.ts'
import { parseRecords } from './parse-scoring.ts'
import { findMisfit } from './parse-tensor.ts'
import { type TabularSpec, tableInputs, wrongCount } from './table-inputs.ts'
import { elementCount, isRefusal, type Refusal, refuse, type Tensor } from './tensor.ts'

/** A JSON body of POST /predict. */
export interface FeaturesBody {
  readonly model: string | null
  /** Null, as `latest`, leaves the choice to the serving state. */
  readonly version: string | null
  readonly requestId: string | null
  readonly routingKey: string | null
  readonly table: Table
  /** Whether the answer is a list: the body gave rows rather than one row. */
  readonly many: boolean
}

const EXPECTED = 'send {"features": [...]}, {"columns": {name: value}} or {"records": [{name: value}]}'
const MAX_TEXT = 256

/** Reads the JSON forms of POST /predict: values in the order of the model's features, or by name. */
export function parseFeatures(value: unknown): FeaturesBody | Refusal {
  if (!isObject(value)) return refuse(`The body is not an object: ${EXPECTED}`)
  const names = ['model', 'model_version', 'request_id', 'routing_key']
  const wrong = names.find((name) => !isText(value[name]))
  if (wrong) return refuse(`${wrong} must be a string of at most ${MAX_TEXT} characters`)
  const [model, version, requestId, routingKey] = names.map((name) => textOf(value[name]))
  const content = parseContent(value)
  if (isRefusal(content)) return content
  return {
    model: model ?? null,
    version: version === 'latest' ? null : (version ?? null),
    requestId: requestId ?? null,
    routingKey: routingKey ?? null,
    ...content,
  }
}

/** A version may be given as a number, as the registry's API shows it. */
const isText = (value: unknown): boolean =>
  value === undefined || value === null || Number.isSafeInteger(value) || (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT)

const textOf = (value: unknown): string | null => (value === undefined || value === null ? null : String(value))

function parseContent(value: Readonly<Record<string, unknown>>): { table: Table; many: boolean } | Refusal {
  const given = ['features', 'columns', 'records'].filter((name) => name in value)
  if (given.length !== 1) return refuse(given.length === 0 ? `The body has no features: ${EXPECTED}` : `The body has ${given.join(' and ')}: ${EXPECTED}`)
  const { features, columns, records } = value
  if (given[0] === 'features') return fromFeatures(features)
  if (given[0] === 'columns') return fromColumns(columns)
  const table = parseRecords(records, 'records')
  return isRefusal(table) ? table : { table, many: true }
}

function fromFeatures(features: unknown): { table: Table; many: boolean } | Refusal {
  if (!Array.isArray(features) || features.length === 0) return refuse('features must be a list of values, one for each feature of the model')
  if (!Array.isArray(features[0])) return { table: { columns: null, rows: [features] }, many: false }
  const rows = features.filter((row) => Array.isArray(row))
  return rows.length === features.length ? { table: { columns: null, rows }, many: true } : refuse('features has both rows and values: send one or the other')
}

function fromColumns(columns: unknown): { table: Table; many: boolean } | Refusal {
  if (!isObject(columns) || Object.keys(columns).length === 0) return refuse('columns must be an object of name to value, or of name to a list of values')
  const names = Object.keys(columns)
  const lists = Object.values(columns).map((cells) => (Array.isArray(cells) ? cells : null))
  const many = lists.some((cells) => cells !== null)
  if (!many) return { table: { columns: names, rows: [Object.values(columns)] }, many: false }
  const length = lists[0]?.length ?? 0
  if (lists.some((cells) => cells?.length !== length)) return refuse('columns must all be values, or all be lists of the same length')
  return { table: { columns: names, rows: Array.from({ length }, (_, row) => lists.map((cells) => cells?.[row])) }, many: true }
}

/** The features as the inputs of a model. A picture or any other tensor of more than two dimensions takes them flat, row by row. */
export function featureInputs(spec: TabularSpec, { table }: FeaturesBody): { inputs: Tensor[] } | Refusal {
  const [only, ...others] = spec.signature.inputs
  const flat = only && others.length === 0 && only.shape.length > 2 && table.columns === null
  if (!flat) return tableInputs(spec, table, { text: false })
  const tensor = flatRows(only, table.rows)
  return isRefusal(tensor) ? tensor : { inputs: [tensor] }
}

function flatRows(spec: TensorSpec, rows: readonly (readonly unknown[])[]): Tensor | Refusal {
  const inner = spec.shape.slice(1)
  if (inner.includes(-1)) return refuse(`Input '${spec.name}' has open dimensions, which a flat list of features does not tell: send a tensor`)
  const expected = elementCount(inner)
  const wrong = rows.find((row) => row.length !== expected)
  if (wrong) return refuse(wrongCount(expected, wrong.length))
  const named = `Input '${spec.name}'`
  const shape = [rows.length, ...inner]
  const misfit = findMisfit(spec, shape, named)
  if (misfit) return misfit
  const data = convertValues(rows.flat(), spec.datatype, { named })
  return isRefusal(data) ? data : { name: spec.name, datatype: spec.datatype, shape, data }
}
