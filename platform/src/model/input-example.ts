import { type ExampleTensor, type ModelSpec, type TensorSpec, tensorExample } from '@millrace/contracts/model/model-spec.ts'
import { z } from 'zod'

/** Rows of an example that are used: it is there to warm a model up, not to measure it. */
const MAX_ROWS = 16

type Cell = ExampleTensor['data'][number]

const cell = z.union([z.number(), z.string(), z.boolean()])
const split = z.looseObject({ columns: z.array(z.union([z.string(), z.number()])), data: z.array(z.array(z.unknown())) })
const records = z.array(z.record(z.string(), z.unknown())).min(1)

/** A table as rows of cells by column, or the value of the one input, or values by input name. */
type Given =
  | { kind: 'table'; columns: readonly string[]; rows: readonly (readonly unknown[])[] }
  | { kind: 'value'; value: unknown }
  | { kind: 'named'; values: object }

function readTable(value: unknown): Given | null {
  const asSplit = split.safeParse(value)
  if (asSplit.success) return { kind: 'table', columns: asSplit.data.columns.map(String), rows: asSplit.data.data }
  const asRecords = records.safeParse(value)
  if (!asRecords.success) return null
  const columns = Object.keys(asRecords.data[0] ?? {})
  return { kind: 'table', columns, rows: asRecords.data.map((row) => columns.map((name) => row[name])) }
}

const isMapping = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The forms of MLflow's example files: `{columns, data}`, the scoring server's bodies, a bare list, or an object of inputs. */
function recognize(value: unknown): Given {
  if (!isMapping(value)) return readTable(value) ?? { kind: 'value', value }
  const body = new Map<string, unknown>(Object.entries(value))
  const table = readTable(value) ?? readTable(body.get('dataframe_split')) ?? readTable(body.get('dataframe_records'))
  if (table) return table
  const inner = body.get('inputs') ?? body.get('instances')
  if (inner === undefined) return { kind: 'named', values: value }
  return readTable(inner) ?? (isMapping(inner) ? { kind: 'named', values: inner } : { kind: 'value', value: inner })
}

/** Shape of nested lists, by their first elements. */
function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : []
}

function readCells(value: unknown, datatype: TensorSpec['datatype']): Cell[] | null {
  const flat: unknown[] = Array.isArray(value) ? value.flat(8) : [value]
  const cells: Cell[] = []
  for (const each of flat) {
    const parsed = cell.safeParse(each)
    if (!parsed.success) return null
    cells.push(datatype === 'BYTES' ? String(parsed.data) : parsed.data)
  }
  return cells
}

/** Rows first, in the rank that the input has: one column of a table is `[n]` there, `[n, 1]` to the network. */
function tensorOf(spec: TensorSpec, value: unknown): ExampleTensor | null {
  const rows = Array.isArray(value) && spec.shape[0] === -1 ? value.slice(0, MAX_ROWS) : value
  const data = readCells(rows, spec.datatype)
  if (!data) return null
  const found = shapeOf(rows)
  const shape = found.length === spec.shape.length - 1 && spec.shape.at(-1) === 1 ? [...found, 1] : found
  const fits = shape.length === spec.shape.length && shape.every((size, axis) => spec.shape[axis] === -1 || spec.shape[axis] === size)
  return fits && shape.reduce((product, size) => product * size, 1) === data.length ? { name: spec.name, datatype: spec.datatype, shape, data } : null
}

/** A table goes to the one input whole, in the order of the signature's columns, or column by column to inputs of their names. */
function valueFromTable(spec: ModelSpec, { columns, rows }: Given & { kind: 'table' }, input: TensorSpec): unknown {
  const at = columns.indexOf(input.name)
  if (spec.signature.inputs.length > 1 || at >= 0) return rows.map((row) => row[at])
  const order = spec.columns?.map(({ name }) => columns.indexOf(name)) ?? columns.keys().toArray()
  return order.includes(-1) ? undefined : rows.map((row) => order.map((index) => row[index]))
}

function valueFor(spec: ModelSpec, given: Given, input: TensorSpec): unknown {
  switch (given.kind) {
    case 'table':
      return valueFromTable(spec, given, input)
    case 'named':
      return Object.entries(given.values).find(([name]) => name === input.name)?.[1]
    case 'value':
      return spec.signature.inputs.length === 1 ? given.value : undefined
  }
}

/**
 * Reads a model's logged input example as the tensors that the network takes: Millrace's own form (`TensorExample`) or one of those that MLflow writes. Null
 * where it cannot be read as such (missing values, other names): a model is then warmed up without it.
 */
export function readInputExample(content: unknown, spec: ModelSpec): ExampleTensor[] | null {
  const own = tensorExample.safeParse(content)
  if (own.success) return own.data.inputs
  const given = recognize(content)
  const tensors = spec.signature.inputs.map((input) => tensorOf(input, valueFor(spec, given, input)))
  return tensors.every((tensor) => tensor !== null) ? tensors.flatMap((tensor) => tensor ?? []) : null
}
