import { type Column, type Datatype, datatypes, type Signature, type TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { parseBinaryTensor, wholeBodyTensor } from './binary-tensor.ts'
import { parseCsv } from './parse-csv.ts'
import { featureInputs, parseFeatures } from './parse-features.ts'
import { parseInferBody } from './parse-infer-body.ts'
import { parseInputs } from './parse-request.ts'
import { parseRows, rowsInputs } from './parse-rows.ts'
import { parseScoring, scoringInputs } from './parse-scoring.ts'
import { tableInputs } from './table-inputs.ts'
import { elementCount, isRefusal, type Refusal, type Tensor } from './tensor.ts'
import { rawBytesOf } from './tensor-bytes.ts'
import { exampleInputs } from './warm-up.ts'

const BUDGET = { numRuns: 1500, seed: 41 }

const tensorSpec = fc.record({
  name: fc.constantFrom('x', 'y', 'age'),
  datatype: fc.constantFrom(...datatypes),
  shape: fc.array(fc.constantFrom(-1, -1, 1, 2, 3), { maxLength: 4 }),
})
const signature: fc.Arbitrary<Signature> = fc.record({
  inputs: fc.uniqueArray(tensorSpec, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
  outputs: fc.constant([{ name: 'out', datatype: 'FP32' as const, shape: [-1] }]),
})
const column: fc.Arbitrary<Column> = fc.record({
  name: fc.constantFrom('x', 'y', 'age'),
  type: fc.constantFrom('double', 'binary', 'datetime', 'string', 'long'),
})
const spec = fc.record({ signature, columns: fc.option(fc.uniqueArray(column, { minLength: 1, selector: ({ name }) => name })) })

/** Values that mean something in one of the protocols, among any others. */
const leaf = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 6 }),
  fc.constantFrom('9223372036854775807', '-1', 'NaN', '2020-01-01T00:00:00Z', 'YQ==', '/w==', '', '1e999'),
  fc.record({ b64: fc.constantFrom('YQ==', '!', '/w==') }),
  fc.record({ refused: fc.constant('never') }),
)
const { nested } = fc.letrec<{ nested: unknown }>((tie) => ({
  nested: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('nested'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('x', 'y', 'age', 'b64'), tie('nested'), { maxKeys: 3 }),
  ),
}))
const keys = [
  'inputs',
  'instances',
  'dataframe_split',
  'dataframe_records',
  'params',
  'columns',
  'data',
  'features',
  'records',
  'id',
  'outputs',
  'model_version',
]
const anyBody = fc.oneof(fc.dictionary(fc.constantFrom(...keys), nested, { maxKeys: 3 }), nested, fc.jsonValue())

/** Whatever passes is what the model declares: the names and types of the signature, whole shapes, and exactly the elements they ask for. */
function checkOutcome(declared: Signature, outcome: { inputs: Tensor[] } | Refusal): void {
  if (isRefusal(outcome)) {
    expect(outcome.refused.length).toBeLessThan(2000)
    return
  }
  accepted++
  for (const [index, input] of declared.inputs.entries()) {
    const tensor = outcome.inputs[index]
    expect([tensor?.name, tensor?.datatype, tensor?.shape.length]).toEqual([input.name, input.datatype, input.shape.length])
    expect(tensor?.shape.every((size, axis) => size > 0 && [-1, size].includes(input.shape[axis] ?? 0))).toBe(true)
    expect(tensor?.data).toHaveLength(elementCount(tensor?.shape ?? []))
  }
}

const elementOf = (datatype: Datatype, seed: number): unknown => (datatype === 'BYTES' ? `t${seed}` : datatype === 'BOOL' ? seed % 2 === 0 : seed % 100)

/** Nested lists that fit a declared input. */
function fitting(declared: TensorSpec, rows: number): unknown {
  const build = (sizes: readonly number[], at: number): unknown => {
    const [size, ...inner] = sizes
    return size === undefined ? elementOf(declared.datatype, at) : Array.from({ length: size }, (_, index) => build(inner, at * 7 + index))
  }
  return build(shapeOf(declared, rows), 1)
}

const shapeOf = ({ shape }: TensorSpec, rows: number): number[] => shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? rows : 2))

/** `value` with what stands at one place of it replaced: the walk follows `path` as far as there is something to follow. */
function replaceAt(value: unknown, [step, ...path]: readonly number[], replacement: unknown): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return replacement
  const entries = Object.entries(value)
  const chosen = entries[step % Math.max(1, entries.length)]
  if (!chosen) return replacement
  const changed = entries.map(([key, item]): [string, unknown] => [key, key === chosen[0] ? replaceAt(item, path, replacement) : item])
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed)
}

/** Nothing, or one place of a valid request and what to put there. */
const damage = fc.option(fc.tuple(fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), nested), { freq: 1 })
const damaged = (value: unknown, change: [number[], unknown] | null): unknown => (change ? replaceAt(value, ...change) : value)

function zerosOf(declared: TensorSpec): Tensor {
  const example = exampleInputs({ inputs: [declared], outputs: [] }, null)
  const [tensor] = 'refused' in example ? [] : example.inputs
  if (!tensor) throw new Error('no example')
  return tensor
}

const byName = ({ inputs }: Signature, rows: number) => Object.fromEntries(inputs.map((input) => [input.name, fitting(input, rows)]))
const asTensors = ({ inputs }: Signature, rows: number) => ({
  inputs: inputs.map((input) => {
    const value = fitting(input, rows)
    return { name: input.name, datatype: input.datatype, shape: shapeOf(input, rows), data: Array.isArray(value) ? value : [value] }
  }),
})

/** Of all requests, damaged or not, a good part must get through: else nothing was tried. */
let accepted = 0
beforeEach(() => {
  accepted = 0
})

test('a request of tensors is read or refused', () => {
  fc.assert(
    fc.property(signature, fc.nat(2), damage, fc.option(fc.uint8Array({ maxLength: 64 }), { freq: 1 }), (declared, rows, change, tail) => {
      const body = parseInferBody(damaged(asTensors(declared, rows + 1), change), tail?.length ? tail : null)
      if (!isRefusal(body)) checkOutcome(declared, parseInputs(declared, body.inputs))
      else expect(change ?? tail).not.toBeNull()
    }),
    BUDGET,
  )
  expect(accepted).toBeGreaterThan(100)
})

test('bytes are a tensor or refused, whatever they are said to be', () => {
  fc.assert(
    fc.property(
      tensorSpec,
      fc.option(fc.constantFrom(...datatypes), { freq: 1 }),
      fc.nat(2),
      fc.option(fc.uint8Array({ maxLength: 80 }), { freq: 1 }),
      (declared, datatype, rows, content) => {
        const shape = shapeOf(declared, rows + 1)
        const valid = rawBytesOf(zerosOf({ ...declared, shape }))
        const wanted: Signature = { inputs: [declared], outputs: [] }
        const tensor = parseBinaryTensor(declared, { name: declared.name, datatype: datatype ?? declared.datatype, shape, bytes: content ?? valid })
        if (!datatype && !content) expect(isRefusal(tensor)).toBe(false)
        checkOutcome(wanted, isRefusal(tensor) ? tensor : { inputs: [tensor] })
        const whole = wholeBodyTensor([declared], content ?? valid)
        checkOutcome(wanted, isRefusal(whole) ? whole : parseInputs(wanted, [whole]))
      },
    ),
    BUDGET,
  )
  expect(accepted).toBeGreaterThan(100)
})

const scoringForms = (declared: Signature, rows: number) => {
  const columns = byName(declared, rows)
  const record = byName(declared, 1)
  const table = Array.from({ length: rows }, () => ({ x: 1, y: 'a', age: null }))
  return [
    { inputs: columns },
    { instances: Object.values(columns)[0] },
    { instances: [record] },
    { dataframe_records: table },
    { dataframe_split: { columns: ['x', 'y', 'age'], data: table.map(({ x, y, age }) => [x, y, age]) } },
    { dataframe_records: Array.from({ length: rows }, () => ({ x: true, y: 2, age: 3 })) },
  ]
}

test('a scoring request is read or refused', () => {
  fc.assert(
    fc.property(spec, fc.nat(2), fc.nat(5), damage, (declared, rows, form, change) => {
      const body = parseScoring(damaged(scoringForms(declared.signature, rows + 1)[form], change))
      if (!isRefusal(body)) checkOutcome(declared.signature, scoringInputs(declared, body))
    }),
    BUDGET,
  )
  expect(accepted).toBeGreaterThan(100)
})

test('rows and columns are read or refused', () => {
  fc.assert(
    fc.property(signature, fc.nat(2), fc.nat(2), damage, (declared, rows, form, change) => {
      const columns = byName(declared, rows + 1)
      const forms = [{ inputs: columns }, { instances: Object.values(columns)[0] }, { inputs: Object.values(columns)[0] }]
      const body = parseRows(damaged(forms[form], change))
      if (!isRefusal(body)) checkOutcome(declared, rowsInputs(declared, body))
    }),
    BUDGET,
  )
  expect(accepted).toBeGreaterThan(100)
})

test('features are read or refused', () => {
  fc.assert(
    fc.property(spec, fc.nat(6), fc.nat(2), damage, (declared, count, form, change) => {
      const features = Array.from({ length: count + 1 }, (_, index) => index)
      const forms = [{ features }, { columns: { x: 1, y: 2, age: 3 } }, { records: [{ x: 1, y: 2, age: 3 }], model_version: 'latest' }]
      const body = parseFeatures(damaged(forms[form], change))
      if (!isRefusal(body)) checkOutcome(declared.signature, featureInputs(declared, body))
    }),
    BUDGET,
  )
  expect(accepted).toBeGreaterThan(20)
})

test('anything at all is read or refused by every parser', () => {
  fc.assert(
    fc.property(spec, anyBody, (declared, value) => {
      const infer = parseInferBody(value, null)
      if (!isRefusal(infer)) checkOutcome(declared.signature, parseInputs(declared.signature, infer.inputs))
      const scoring = parseScoring(value)
      if (!isRefusal(scoring)) checkOutcome(declared.signature, scoringInputs(declared, scoring))
      const rows = parseRows(value)
      if (!isRefusal(rows)) checkOutcome(declared.signature, rowsInputs(declared.signature, rows))
      const features = parseFeatures(value)
      if (!isRefusal(features)) checkOutcome(declared.signature, featureInputs(declared, features))
    }),
    BUDGET,
  )
})

test('any text is CSV or refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom('"', ',', '\n', '\r\n', '\r', 'age', 'x', '1', '1.5', 'NA', '""', ' ', '\uFEFF')).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(spec, text, (declared, content) => {
      const table = parseCsv(content)
      if (!isRefusal(table)) checkOutcome(declared.signature, tableInputs(declared, table, { text: true }))
    }),
    BUDGET,
  )
})

test('what is written as CSV is read again', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 6 })
  const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const text = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].join(end)
      expect(parseCsv(text)).toEqual({ columns: ['a', 'b'], rows })
    }),
    { numRuns: 300, seed: 4 },
  )
})
