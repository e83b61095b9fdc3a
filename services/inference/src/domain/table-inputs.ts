import type { Column, ModelSpec, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { castCell } from './cast-cell.ts'
import { convertValues } from './convert-values.ts'
import { nestedTensor } from './nested-tensor.ts'
import type { Table } from './parse-csv.ts'
import { agreeOnRows } from './parse-request.ts'
import { isRefusal, type Refusal, refuse, showSpec, type Tensor } from './tensor.ts'

/** What of a model a table is held against. */
export type TabularSpec = Pick<ModelSpec, 'signature' | 'columns'>

export interface TableOptions {
  /** Cells came as text, as those of CSV do. */
  readonly text: boolean
}

interface Picked {
  readonly name: string
  readonly column: Column | null
  readonly cells: readonly unknown[]
}

/**
 * A table as the inputs of a model, as MLflow's ONNX flavour maps it: all columns as `[n, k]` for one input, else column to the input of its name. Columns are
 * taken by name in the order of the signature, others are ignored; without names they count by position. `null` is NaN for floats and refused for integers.
 */
export function tableInputs(spec: TabularSpec, table: Table, options: TableOptions): { inputs: Tensor[] } | Refusal {
  if (table.rows.length === 0) return refuse('The table has no rows; send at least one')
  const [only, ...others] = spec.signature.inputs
  const columns = pickColumns(spec, table)
  if (isRefusal(columns)) return columns
  if (only && others.length === 0) {
    const tensor = matrix(only, columns, table.rows.length, options)
    return isRefusal(tensor) ? tensor : { inputs: [tensor] }
  }
  const inputs: Tensor[] = []
  for (const input of spec.signature.inputs) {
    const tensor = oneColumn(input, columns.find(({ name }) => name === input.name) ?? null, options)
    if (isRefusal(tensor)) return tensor
    inputs.push(tensor)
  }
  return agreeOnRows(spec.signature, inputs)
}

/** The names that the model asks for, in its order; null where it takes columns as they come. */
function wantedNames({ signature, columns }: TabularSpec): readonly string[] | null {
  if (columns) return columns.map(({ name }) => name)
  return signature.inputs.length > 1 ? signature.inputs.map(({ name }) => name) : null
}

function pickColumns(spec: TabularSpec, table: Table): Picked[] | Refusal {
  const wanted = wantedNames(spec)
  const width = table.columns?.length ?? table.rows[0]?.length ?? 0
  const known = (name: string): Column | null => spec.columns?.find((column) => column.name === name) ?? null
  const at = (name: string, index: number): Picked => ({ name, column: known(name), cells: table.rows.map((row) => row[index] ?? null) })
  if (table.columns === null || wanted === null) {
    const ragged = table.rows.findIndex((row) => row.length !== width)
    if (ragged >= 0) return refuse(`Row ${ragged} has ${table.rows[ragged]?.length} values, row 0 has ${width}`)
    if (wanted && wanted.length !== width) return refuse(wrongCount(wanted.length, width))
    return Array.from({ length: width }, (_, index) => at(wanted?.[index] ?? table.columns?.[index] ?? String(index), index))
  }
  const given = new Map(table.columns.map((name, index) => [name, index]))
  if (given.size < table.columns.length) return refuse('Two columns have the same name; give each one its own')
  const missing = wanted.find((name) => !given.has(name) && known(name)?.required !== false)
  if (missing !== undefined) return refuse(`The column '${missing}' is missing; the model takes ${wanted.map((name) => `'${name}'`).join(', ')}`)
  return wanted.map((name) => at(name, given.get(name) ?? -1))
}

export const wrongCount = (expected: number, got: number): string => `Expected ${expected} features, got ${got}`

/** All columns side by side; a column of lists is the tensor itself. */
function matrix(spec: TensorSpec, columns: readonly Picked[], rows: number, options: TableOptions): Tensor | Refusal {
  const [first] = columns
  if (first && columns.length === 1 && (spec.shape.length === 1 || Array.isArray(first.cells[0]))) return oneColumn(spec, first, options)
  const expected = spec.shape[1] ?? -1
  if (spec.shape.length !== 2) return refuse(`Input ${showSpec(spec)} is no table: send it as a tensor ("inputs" or "instances")`)
  if (expected !== -1 && expected !== columns.length) return refuse(wrongCount(expected, columns.length))
  const values: unknown[] = new Array(rows * columns.length)
  for (const [index, { cells, column }] of columns.entries()) {
    for (let row = 0; row < rows; row++) values[row * columns.length + index] = castCell(cells[row], spec.datatype, column, options.text)
  }
  const at = (index: number): string => `row ${Math.floor(index / columns.length)} of the column '${columns[index % columns.length]?.name}'`
  const data = convertValues(values, spec.datatype, { named: `Input '${spec.name}'`, at, nullIsNaN: true })
  return isRefusal(data) ? data : fitted(spec, { name: spec.name, datatype: spec.datatype, shape: [rows, columns.length], data })
}

/** One column as an input of its own: `[n]`, `[n, 1]`, or more where its cells are lists. */
function oneColumn(spec: TensorSpec, picked: Picked | null, { text }: TableOptions): Tensor | Refusal {
  if (!picked) return refuse(`The column '${spec.name}' is missing`)
  const cast = (cell: unknown): unknown => castCell(cell, spec.datatype, picked.column, text)
  if (Array.isArray(picked.cells[0])) return nestedTensor(spec, picked.cells, { nullIsNaN: true })
  const at = (index: number): string => `row ${index} of the column '${picked.name}'`
  const data = convertValues(picked.cells.map(cast), spec.datatype, { named: `Input '${spec.name}'`, at, nullIsNaN: true })
  const shape = [picked.cells.length, ...spec.shape.slice(1).map(() => 1)]
  return isRefusal(data) ? data : fitted(spec, { name: spec.name, datatype: spec.datatype, shape, data })
}

function fitted(spec: TensorSpec, tensor: Tensor): Tensor | Refusal {
  const fits = tensor.shape.length === spec.shape.length && tensor.shape.every((size, axis) => spec.shape[axis] === -1 || spec.shape[axis] === size)
  return fits ? tensor : refuse(`Input ${showSpec(spec)} does not take ${tensor.shape[0]} rows of ${tensor.shape[1] ?? 1} columns`)
}
