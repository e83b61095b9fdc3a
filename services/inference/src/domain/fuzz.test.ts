import { type Column, datatypes, type Signature } from '@millrace/contracts/model/model-spec.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBinaryTensor, wholeBodyTensor } from './binary-tensor.ts'
import { parseCsv } from './parse-csv.ts'
import { featureInputs, parseFeatures } from './parse-features.ts'
import { parseInferBody } from './parse-infer-body.ts'
import { parseInputs } from './parse-request.ts'
import { parseRows, rowsInputs } from './parse-rows.ts'
import { parseScoring, scoringInputs } from './parse-scoring.ts'
import { tableInputs } from './table-inputs.ts'
import { elementCount, isRefusal, type Refusal, type Tensor } from './tensor.ts'

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
  for (const [index, input] of declared.inputs.entries()) {
    const tensor = outcome.inputs[index]
    expect([tensor?.name, tensor?.datatype, tensor?.shape.length]).toEqual([input.name, input.datatype, input.shape.length])
    expect(tensor?.shape.every((size, axis) => size > 0 && [-1, size].includes(input.shape[axis] ?? 0))).toBe(true)
    expect(tensor?.data).toHaveLength(elementCount(tensor?.shape ?? []))
  }
}

const named = fc.record(
  {
    name: fc.constantFrom('x', 'y', 'age', 'z'),
    datatype: fc.constantFrom(...datatypes, 'BF16', ''),
    shape: fc.array(fc.integer({ min: -1, max: 4 })),
    data: nested,
  },
  { requiredKeys: [] },
)
const parameters = fc.dictionary(fc.constantFrom('binary_data_size', 'binary_data', 'timeout', 'sequence_id'), fc.oneof(leaf, fc.nat(20)), { maxKeys: 2 })
const inferBody = fc.record(
  {
    inputs: fc.array(
      fc.tuple(named, fc.option(parameters)).map(([input, own]) => (own ? { ...input, parameters: own } : input)),
      { maxLength: 3 },
    ),
    outputs: nested,
    parameters,
    id: leaf,
  },
  { requiredKeys: ['inputs'] },
)

test('a request of tensors, with or without bytes behind it, is read or refused', () => {
  fc.assert(
    fc.property(signature, fc.oneof(inferBody, anyBody), fc.option(fc.uint8Array({ maxLength: 64 })), (declared, value, tail) => {
      const body = parseInferBody(value, tail)
      if (isRefusal(body)) return
      checkOutcome(declared, parseInputs(declared, body.inputs))
    }),
    BUDGET,
  )
})

test('bytes are a tensor or refused, whatever they are said to be', () => {
  const bytes = fc.uint8Array({ maxLength: 80 })
  fc.assert(
    fc.property(tensorSpec, fc.constantFrom(...datatypes), fc.array(fc.nat(4), { maxLength: 4 }), bytes, (declared, datatype, shape, content) => {
      const outputs: Signature['outputs'] = []
      const tensor = parseBinaryTensor(declared, { name: declared.name, datatype, shape, bytes: content })
      checkOutcome({ inputs: [declared], outputs }, isRefusal(tensor) ? tensor : { inputs: [tensor] })
      const whole = wholeBodyTensor([declared], content)
      checkOutcome({ inputs: [declared], outputs }, isRefusal(whole) ? whole : parseInputs({ inputs: [declared], outputs }, [whole]))
    }),
    BUDGET,
  )
})

test('a scoring request is read or refused', () => {
  fc.assert(
    fc.property(spec, anyBody, (declared, value) => {
      const body = parseScoring(value)
      if (!isRefusal(body)) checkOutcome(declared.signature, scoringInputs(declared, body))
    }),
    BUDGET,
  )
})

test('rows and columns are read or refused', () => {
  fc.assert(
    fc.property(signature, anyBody, (declared, value) => {
      const body = parseRows(value)
      if (!isRefusal(body)) checkOutcome(declared, rowsInputs(declared, body))
    }),
    BUDGET,
  )
})

test('features are read or refused', () => {
  fc.assert(
    fc.property(spec, anyBody, (declared, value) => {
      const body = parseFeatures(value)
      if (!isRefusal(body)) checkOutcome(declared.signature, featureInputs(declared, body))
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
