import { type Datatype, datatypes } from '@millrace/contracts/model/model-spec.ts'
import { type ChainTensor, openChain } from '@millrace/platform/model/onnx-chain.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHalf, toHalf } from './domain/half.ts'
import { allocate } from './domain/tensor.ts'
import { rawBytesOf } from './domain/tensor-bytes.ts'
import { echoModel } from './testing/echo-model.ts'
import { startServedPod } from './testing/served-pod.ts'
import { tableModel } from './testing/table-model.ts'
import { scaleModel } from './testing/test-model.ts'

/** What goes over the wire as JSON: a big integer as its digits. */
type Wire = number | string | boolean
type Column = Wire[]

const int = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))
const big = (min: bigint, max: bigint) => fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max)).map((value): Wire => String(value))
const values: Readonly<Record<Datatype, fc.Arbitrary<Wire>>> = {
  BOOL: fc.boolean(),
  INT8: int(-128, 127),
  INT16: int(-32_768, 32_767),
  INT32: int(-(2 ** 31), 2 ** 31 - 1),
  INT64: big(-(2n ** 63n), 2n ** 63n - 1n),
  UINT8: int(0, 255),
  UINT16: int(0, 65_535),
  UINT32: int(0, 2 ** 32 - 1),
  UINT64: big(0n, 2n ** 64n - 1n),
  FP16: fc.double({ min: -65_504, max: 65_504, noNaN: true }),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BYTES: fc.string({ unit: 'grapheme', maxLength: 12 }),
}

/** The tensor that the runtime is given directly, made without any of the parsers. */
function tensorOf(name: string, datatype: Datatype, column: Column, width: number): ChainTensor {
  const shape = [column.length / width, width]
  if (datatype === 'BYTES') return { name, datatype, shape, data: column.map(String) }
  const data = allocate(datatype, column.length)
  for (const [index, value] of column.entries()) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(String(value))
    else data[index] = datatype === 'FP16' ? toHalf(Number(value)) : Number(value)
  }
  return { name, datatype, shape, data }
}

type Outputs = Record<string, Wire[]>

/** An element as two readings of the same value have in common: 64-bit integers as digits, minus zero as zero. */
function comparable(output: string, value: unknown): Wire {
  if (output.endsWith('BYTES')) return String(value)
  if (typeof value === 'boolean') return value
  return output.endsWith('INT64') ? BigInt(String(value)).toString() : Number(value) + 0
}

/** The runtime answers halves as numbers where the machine knows them. */
const elementsOf = ({ name, datatype, data }: ChainTensor): Wire[] =>
  Array.from<unknown, Wire>(data, (value) => {
    if (datatype === 'BOOL') return Number(value) !== 0
    return comparable(name, datatype === 'FP16' && data instanceof Uint16Array ? fromHalf(Number(value)) : value)
  })

const flat = (value: unknown): unknown[] => (Array.isArray(value) ? value.flatMap(flat) : [value])

const named = (entries: readonly (readonly [string, unknown])[]): Outputs =>
  Object.fromEntries(entries.map(([name, value]) => [name, flat(value).map((element) => comparable(name, element))]))

interface OipOutput {
  name: string
  datatype: Datatype
  shape: number[]
  data?: unknown
  parameters?: { binary_data_size: number }
}

type Served = Awaited<ReturnType<typeof startServedPod>>
type Columns = Partial<Record<Datatype, Column>>

const rowsOf = (column: Column): Column[] => Array.from({ length: column.length / 2 }, (_, row) => column.slice(2 * row, 2 * row + 2))
const entriesOf = (columns: Columns): [Datatype, Column][] =>
  datatypes.flatMap((datatype): [Datatype, Column][] => {
    const column = columns[datatype]
    return column ? [[datatype, column]] : []
  })
const rowObjects = (columns: Columns): Record<string, Column>[] => {
  const all = entriesOf(columns).map(([datatype, column]) => [datatype, rowsOf(column)] as const)
  return Array.from({ length: all[0]?.[1].length ?? 0 }, (_, row) => Object.fromEntries(all.map(([datatype, rows]) => [`IN_${datatype}`, rows[row] ?? []])))
}

const inputsOf = (columns: Columns, nested: boolean) =>
  entriesOf(columns).map(([datatype, column]) => ({
    ...{ name: `IN_${datatype}`, datatype, shape: [column.length / 2, 2] },
    data: nested ? rowsOf(column) : column,
  }))

/** The same question through every dialect; each answers its outputs by name. */
type Ask = (served: Served, columns: Columns) => Promise<Outputs>

const dialects = {
  async 'tensors as JSON'({ post }: Served, columns: Columns): Promise<Outputs> {
    const { body } = await post('/v2/models/echo/infer', { inputs: inputsOf(columns, false) })
    return named(Object(body).outputs.map(({ name, data }: OipOutput) => [name, data]))
  },
  async 'nested tensors, version named'({ post }: Served, columns: Columns): Promise<Outputs> {
    const { body } = await post('/v2/models/echo/versions/1/infer', { inputs: inputsOf(columns, true) })
    return named(Object(body).outputs.map(({ name, data }: OipOutput) => [name, data]))
  },
  async 'tensors as bytes'({ post }: Served, columns: Columns): Promise<Outputs> {
    return askBinary(post, columns)
  },
  async 'MLflow inputs'({ post }: Served, columns: Columns): Promise<Outputs> {
    const inputs = Object.fromEntries(entriesOf(columns).map(([datatype, column]) => [`IN_${datatype}`, rowsOf(column)]))
    const { body } = await post('/models/echo/invocations', { inputs })
    return named(Object.entries(Object(body).predictions))
  },
  async 'MLflow instances'({ post }: Served, columns: Columns): Promise<Outputs> {
    const { body } = await post('/invocations', { instances: rowObjects(columns) })
    return named(Object.entries(Object(body).predictions))
  },
  async 'MLflow records'({ post }: Served, columns: Columns): Promise<Outputs> {
    const { body } = await post('/models/echo/versions/1/invocations', { dataframe_records: rowObjects(columns) })
    return ofRecords(Object(body).predictions)
  },
  async 'MLflow JSON lines'({ post }: Served, columns: Columns): Promise<Outputs> {
    const lines = rowObjects(columns).map((row) => JSON.stringify(row))
    const { text } = await post('/invocations', lines.join('\n'), { 'content-type': 'application/jsonlines' })
    return ofRecords(JSON.parse(`[${exactLines(text)}]`))
  },
  async 'TensorFlow rows'({ post }: Served, columns: Columns): Promise<Outputs> {
    const { body } = await post('/v1/models/echo:predict', { instances: rowObjects(columns) })
    return ofRecords(Object(body).predictions)
  },
  async 'TensorFlow columns'({ post }: Served, columns: Columns): Promise<Outputs> {
    const inputs = Object.fromEntries(entriesOf(columns).map(([datatype, column]) => [`IN_${datatype}`, rowsOf(column)]))
    const { body } = await post('/v1/models/echo/labels/production:predict', { inputs })
    return named(Object.entries(Object(body).outputs))
  },
}

const exactLines = (text: string): string =>
  text
    .trim()
    .split('\n')
    .join(',')
    .replace(/(?<=[[,:])-?\d{16,}(?=[,\]}])/g, '"$&"')

const ofRecords = (rows: Record<string, unknown>[]): Outputs => named(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name])]))

async function askBinary(post: Served['post'], columns: Columns): Promise<Outputs> {
  const tensors = entriesOf(columns).map(([datatype, column]) => tensorOf(`IN_${datatype}`, datatype, column, 2))
  const parts = tensors.map(rawBytesOf)
  const inputs = tensors.map(({ name, datatype, shape }, index) => ({ name, datatype, shape, parameters: { binary_data_size: parts[index]?.length } }))
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }))
  const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
  const { bytes, headers: answered } = await post('/v2/models/echo/infer', Buffer.concat([head, ...parts]), headers)
  const jsonBytes = Number(answered.get('inference-header-content-length'))
  const outputs: OipOutput[] = JSON.parse(bytes.subarray(0, jsonBytes).toString()).outputs
  let at = jsonBytes
  return named(
    outputs.map((output) => {
      const size = output.parameters?.binary_data_size ?? 0
      const part = bytes.subarray(at, at + size)
      at += size
      return [output.name, elementsOf({ ...output, data: fromBytes(output.datatype, part) })] as const
    }),
  )
}

function fromBytes(datatype: Datatype, bytes: Buffer): ChainTensor['data'] {
  if (datatype !== 'BYTES') {
    const data = allocate(datatype, bytes.length / allocate(datatype, 1).BYTES_PER_ELEMENT)
    new Uint8Array(data.buffer).set(bytes)
    return data
  }
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) texts.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)))
  return texts
}

async function oracleFor(files: { 'model.onnx': Uint8Array }) {
  const chain = await openChain([{ name: 'model.onnx', bytes: files['model.onnx'] }])
  return {
    release: chain.release,
    ask: async (inputs: ChainTensor[]): Promise<Outputs> => Object.fromEntries((await chain.run(inputs)).map((output) => [output.name, elementsOf(output)])),
  }
}

const everyColumn = (rows: number): fc.Arbitrary<Columns> =>
  fc.record(Object.fromEntries(datatypes.map((datatype) => [datatype, fc.array(values[datatype], { minLength: 2 * rows, maxLength: 2 * rows })])))

test.each([
  ['with the cache', {}],
  ['without it', { INFERENCE_CACHE_TTL_MS: 0 }],
])('every datatype through every dialect is what the runtime answers, %s', async (_, config) => {
  const files = echoModel()
  const served = await startServedPod({ echo: files }, config)
  const oracle = await oracleFor(files)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70 }).chain(everyColumn), async (columns) => {
      const expected = await oracle.ask(entriesOf(columns).map(([datatype, column]) => tensorOf(`IN_${datatype}`, datatype, column, 2)))
      for (const [name, ask] of Object.entries(dialects)) expect([name, await ask(served, columns)]).toEqual([name, expected])
      // Again: now all of it may come from the cache, whichever dialect asked first.
      expect(await dialects['tensors as bytes'](served, columns)).toEqual(expected)
    }),
    { numRuns: 6, seed: 5, endOnFailure: true },
  )
  await oracle.release()
})

test('rows that are asked one by one, all at once, are the rows of the batch', async () => {
  const files = echoModel()
  const served = await startServedPod({ echo: files })
  const [columns] = fc.sample(everyColumn(40), { numRuns: 1, seed: 9 })
  const whole = await dialects['tensors as JSON'](served, columns ?? {})
  const asks: readonly Ask[] = Object.values(dialects)
  const single = await Promise.all(
    Array.from({ length: 40 }, (_, row) => {
      const one = Object.fromEntries(entriesOf(columns ?? {}).map(([datatype, column]) => [datatype, column.slice(2 * row, 2 * row + 2)]))
      return asks[row % asks.length]?.(served, one)
    }),
  )
  const joined = Object.fromEntries(Object.keys(whole).map((name) => [name, single.flatMap((outputs) => outputs?.[name] ?? [])]))
  expect(joined).toEqual(whole)
})

test('tables in every form are what the runtime answers', async () => {
  const files = tableModel()
  const { post } = await startServedPod({ table: files, scale: scaleModel(3) })
  const oracle = await oracleFor(files)
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  const table = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 50 })
  const names = ['age', 'income', 'debt']
  const objectOf = (row: readonly number[]) =>
    Object.fromEntries([
      ['debt', row[2]],
      ['ignored', 'x'],
      ['income', row[1]],
      ['age', row[0]],
    ])
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const expected = await oracle.ask([tensorOf('input', 'FP32', rows.flat(), 3)])
      const scoring = async (body: unknown, type = 'application/json') =>
        ofRecords(Object((await post('/models/table/invocations', body, { 'content-type': type })).body).predictions)
      const csv = ['income,ignored,age,debt', ...rows.map(([age, income, debt]) => `${income},"a, ""b""",${age},${debt}`)].join('\r\n')
      expect(await scoring({ dataframe_split: { columns: names, data: rows } })).toEqual(expected)
      expect(await scoring({ dataframe_records: rows.map(objectOf) })).toEqual(expected)
      expect(await scoring(csv, 'text/csv')).toEqual(expected)
      expect(await scoring(csv, 'application/csv; charset=UTF-8')).toEqual(expected)
      const { body } = await post('/predict', { model: 'table', records: rows.map(objectOf) })
      expect(Object(body).predictions.map(({ prediction }: { prediction: unknown }) => comparable('', prediction))).toEqual(expected['score'])
      const one = await post('/predict', { model: 'table', features: rows[0] })
      const alone = await oracle.ask([tensorOf('input', 'FP32', [...(rows[0] ?? [])], 3)])
      expect([comparable('', Object(one.body).prediction)]).toEqual(alone['score'])
      const { body: lines } = await post('/v2/models/table/infer', { inputs: [{ name: 'input', datatype: 'FP64', shape: [rows.length, 3], data: rows }] })
      expect(named(Object(lines).outputs.map(({ name, data }: OipOutput) => [name, data]))).toEqual(expected)
    }),
    { numRuns: 10, seed: 6 },
  )
  await oracle.release()
})
