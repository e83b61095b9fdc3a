import { type ExampleTensor, exampleTensor } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { expectedAnswers, type ModelFixture, modelFixture, sourceOf } from '../testing/model-folder.ts'
import { type ArtifactFile, type DescribedModel, describeModel } from './describe-model.ts'
import { readInputExample } from './input-example.ts'
import { type ChainTensor, openChain } from './onnx-chain.ts'

const bigints = (data: ExampleTensor['data']) => data.map((value) => BigInt(typeof value === 'boolean' ? Number(value) : value))

/** As the runtime takes it. */
function feed({ name, datatype, shape, data }: ExampleTensor): ChainTensor {
  const numbers = data.map(Number)
  const byType: Record<ExampleTensor['datatype'], () => ChainTensor['data']> = {
    ...{ BOOL: () => Uint8Array.from(numbers), UINT8: () => Uint8Array.from(numbers), INT8: () => Int8Array.from(numbers) },
    ...{ INT16: () => Int16Array.from(numbers), UINT16: () => Uint16Array.from(numbers), INT32: () => Int32Array.from(numbers) },
    ...{ UINT32: () => Uint32Array.from(numbers), INT64: () => BigInt64Array.from(bigints(data)), UINT64: () => BigUint64Array.from(bigints(data)) },
    ...{ FP16: () => new Uint16Array(Float16Array.from(numbers).buffer), FP32: () => Float32Array.from(numbers), FP64: () => Float64Array.from(numbers) },
    BYTES: () => data.map(String),
  }
  return { name, datatype, shape, data: byType[datatype]() }
}

async function described(name: ModelFixture): Promise<DescribedModel<ArtifactFile>> {
  const result = await describeModel(sourceOf(modelFixture(name)))
  if (result.kind === 'unservable') throw new Error(result.reason)
  return result
}

const answers = z.object({ inputs: z.array(exampleTensor), outputs: z.array(exampleTensor) })

test.each<ModelFixture>([
  ...(['all-types', 'contrib', 'functions', 'side-file', 'sklearn-columns', 'sklearn-regressor'] as const),
  ...(['sklearn-strings', 'sklearn-table', 'sklearn-zipmap', 'xgboost'] as const),
])('%s is described as what the runtime finds, and answers as it does in Python', async (name) => {
  const { spec, chain } = await described(name)
  const contents = modelFixture(name)
  const bytesOf = ({ path }: ArtifactFile) => ({ name: path, bytes: contents[path] ?? new Uint8Array() })
  const opened = await openChain(chain.map(({ file, sideFiles }) => ({ ...bytesOf(file), sideFiles: sideFiles.map(bytesOf) })))
  expect(spec.signature.inputs).toEqual(opened.signature.inputs)
  expect(spec.signature.outputs.map(({ name, datatype }) => [name, datatype])).toEqual(opened.signature.outputs.map(({ name, datatype }) => [name, datatype]))
  const { inputs, outputs } = answers.parse(JSON.parse(expectedAnswers(name)))
  const found = await opened.run(inputs.map(feed))
  for (const expected of outputs) {
    const tensor = found.find((each) => each.name === expected.name)
    expect(tensor?.shape).toEqual(expected.shape)
    const exact = Array.from<unknown>(tensor?.data ?? [])
    for (const [at, value] of Array.from<unknown>(feed(expected).data).entries()) {
      if (typeof value === 'number' && expected.datatype.startsWith('FP3')) expect(exact[at]).toBeCloseTo(value, 4)
      else if (expected.datatype !== 'FP16') expect(exact[at]).toEqual(value)
    }
  }
  await opened.release()
})

test('columns, classes and side files come from what the exporter noted', async () => {
  expect(await described('sklearn-table')).toMatchObject({
    ...{ origin: 'derived', exampleFile: { path: 'serving_input_example.json' } },
    spec: {
      columns: [{ name: 'sepal length (cm)', type: 'float' }, { name: 'sepal width (cm)' }, { name: 'petal length (cm)' }, { name: 'petal width (cm)' }],
      labels: [{ class: 'setosa' }, { class: 'versicolor' }, { class: 'virginica' }],
    },
  })
  expect((await described('sklearn-columns')).spec.columns?.map(({ name }) => name)).toEqual(['age', 'city', 'income'])
  expect(await described('side-file')).toMatchObject({
    ...{ chain: [{ sideFiles: [{ path: 'weights.data', sizeBytes: 1280 }] }], spec: { columns: null, labels: [{ label: 'setosa' }, {}, {}] } },
  })
})

test('a ZipMap is left out, and said to be', async () => {
  const { spec } = await described('sklearn-zipmap')
  expect(spec).toMatchObject({ omittedOutputs: ['output_probability'], signature: { outputs: [{ name: 'output_label', datatype: 'INT64' }] } })
})

test.each<[ModelFixture, number[]]>([
  ['sklearn-table', [2, 4]],
  ['sklearn-zipmap', [3, 4]],
  ['sklearn-strings', [2, 4]],
  ['side-file', [2, 8]],
  ['xgboost', [2, 4]],
])('the input example of %s is read as the network takes it', async (name, shape) => {
  const { spec, exampleFile } = await described(name)
  const content: unknown = JSON.parse(Buffer.from(modelFixture(name)[exampleFile?.path ?? ''] ?? []).toString())
  expect(readInputExample(content, spec)).toMatchObject([{ name: spec.signature.inputs[0]?.name, shape }])
})
