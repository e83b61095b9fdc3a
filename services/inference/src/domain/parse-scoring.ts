import type { ModelSpec, Signature } from '@millrace/contracts/model/model-spec.ts'
import { nestedTensor } from './nested-tensor.ts'
import type { Table } from './parse-csv.ts'
import { isObject } from './parse-infer-body.ts'
import { agreeOnRows } from './parse-request.ts'
import { tableInputs } from './table-inputs.ts'
import { isRefusal, type Refusal, refuse, type Tensor } from './tensor.ts'

/** What an MLflow scoring request holds, not yet held against any model. `tensors` are one value for the one input, or values by name. */
export type ScoringBody = { readonly form: 'table'; readonly table: Table; readonly text: boolean } | { readonly form: 'tensors'; readonly value: unknown }

const FORMS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const
const LANGUAGE_MODEL = ['messages', 'prompt', 'input']
const EXPECTED = `send an object with one of ${FORMS.join(', ')}`

/** Reads the JSON forms of MLflow's scoring server. */
export function parseScoring(value: unknown): ScoringBody | Refusal {
  if (!isObject(value)) return refuse(`The body is not an object: ${EXPECTED}`)
  if ('signature_name' in value) return refuse('signature_name is not offered: a model has one signature')
  const { params } = value
  if (params !== undefined && params !== null && !(isObject(params) && Object.keys(params).length === 0)) {
    return refuse("params are not offered: the model's signature declares none")
  }
  const given = FORMS.filter((form) => form in value)
  const [form] = given
  if (!form || given.length > 1) return refuse(given.length > 1 ? `The body has ${given.join(' and ')}: ${EXPECTED}` : withoutForm(value))
  if (form === 'dataframe_split') return asTable(parseSplit(value[form]))
  if (form === 'dataframe_records') return asTable(parseRecords(value[form], form))
  return form === 'instances' ? parseInstances(value[form]) : { form: 'tensors', value: value[form] }
}

function withoutForm(value: Readonly<Record<string, unknown>>): string {
  const chat = LANGUAGE_MODEL.some((name) => name in value)
  return chat ? `Bodies of language models are not offered: ${EXPECTED}` : `The body has none of the forms of a scoring request: ${EXPECTED}`
}

const asTable = (table: Table | Refusal): ScoringBody | Refusal => (isRefusal(table) ? table : { form: 'table', table, text: false })

function parseSplit(value: unknown): Table | Refusal {
  if (!isObject(value) || !Array.isArray(value['data'])) return refuse('dataframe_split must be an object {"columns", "data"}')
  const rows = value['data'].filter((row) => Array.isArray(row))
  if (rows.length < value['data'].length) return refuse('dataframe_split.data must be a list of rows, each a list of values')
  const { columns } = value
  if (columns === undefined) return { columns: null, rows }
  const names = columnNames(columns)
  if (!names) return refuse('dataframe_split.columns must be a list of names')
  const ragged = rows.findIndex((row) => row.length !== names.length)
  return ragged < 0 ? { columns: names, rows } : refuse(`Row ${ragged} of dataframe_split.data has ${rows[ragged]?.length} values for ${names.length} columns`)
}

/** Names; pandas numbers columns that have none. */
function columnNames(value: unknown): string[] | null {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string' || Number.isInteger(name))) return null
  return value.map(String)
}

/** Objects as rows: the columns are all keys that occur, a key that a row has not is `null` there. */
export function parseRecords(value: unknown, what: string): Table | Refusal {
  if (!Array.isArray(value) || !value.every(isObject)) return refuse(`${what} must be a list of objects, one for each row`)
  const columns = new Set<string>()
  for (const record of value) for (const name of Object.keys(record)) columns.add(name)
  const names = [...columns]
  return { columns: names, rows: value.map((record) => names.map((name) => (Object.hasOwn(record, name) ? record[name] : null))) }
}

/** A list of values for the one input, or of objects whose keys become columns. */
function parseInstances(value: unknown): ScoringBody | Refusal {
  if (!Array.isArray(value)) return refuse('instances must be a list')
  if (!isObject(value[0])) return { form: 'tensors', value }
  const table = parseRecords(value, 'instances')
  if (isRefusal(table)) return table
  return { form: 'tensors', value: Object.fromEntries((table.columns ?? []).map((name, index) => [name, table.rows.map((row) => row[index])])) }
}

/** What was sent as the inputs of a model. */
export function scoringInputs(spec: Pick<ModelSpec, 'signature' | 'columns'>, body: ScoringBody): { inputs: Tensor[] } | Refusal {
  if (body.form === 'table') return tableInputs(spec, body.table, { text: body.text })
  const { signature } = spec
  if (!isObject(body.value)) return bareInputs(signature, body.value)
  const named = body.value
  if (signature.inputs.some(({ name }) => Object.hasOwn(named, name))) return namedInputs(signature, named)
  return tableInputs(spec, columnsOf(named), { text: false })
}

/** Whether the answer is a table as well: MLflow reads columns of a model that declares them as a table, whatever they came in. */
export function asksTable({ columns }: Pick<ModelSpec, 'columns'>, body: ScoringBody): boolean {
  if (body.form === 'table') return true
  const { value } = body
  return isObject(value) && columns?.some(({ name }) => Object.hasOwn(value, name)) === true
}

function bareInputs(signature: Signature, value: unknown): { inputs: Tensor[] } | Refusal {
  const [only, ...others] = signature.inputs
  if (!only || others.length > 0) return refuse(`The model has ${signature.inputs.length} inputs: send an object of input name to values`)
  const tensor = nestedTensor(only, value, { nullIsNaN: true })
  return isRefusal(tensor) ? tensor : { inputs: [tensor] }
}

/** Inputs by name. @returns a refusal that names what is missing or not known */
export function namedInputs(signature: Signature, value: Readonly<Record<string, unknown>>): { inputs: Tensor[] } | Refusal {
  const inputs: Tensor[] = []
  for (const spec of signature.inputs) {
    if (!Object.hasOwn(value, spec.name)) return refuse(`Input '${spec.name}' is missing`)
    const tensor = nestedTensor(spec, value[spec.name], { nullIsNaN: true })
    if (isRefusal(tensor)) return tensor
    inputs.push(tensor)
  }
  return agreeOnRows(signature, inputs)
}

/** Columns of values by name as a table. */
function columnsOf(named: Readonly<Record<string, unknown>>): Table {
  const columns = Object.entries(named).map(([name, cells]): [string, unknown[]] => [name, Array.isArray(cells) ? cells : [cells]])
  const rows = Math.max(0, ...columns.map(([, cells]) => cells.length))
  return { columns: columns.map(([name]) => name), rows: Array.from({ length: rows }, (_, row) => columns.map(([, cells]) => cells[row] ?? null)) }
}
