import { type ExampleTensor, exampleTensor } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { expectedAnswers, type ModelFixture, modelFixture, networkFixture, sourceOf } from '../testing/model-folder.ts'
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

test.each<[string, Record<string, string | Uint8Array>, string, string]>([
  [
    'a pickle of scikit-learn',
    { MLmodel: 'flavors:\n  python_function:\n    a: 1\n  sklearn:\n    b: 1\n', 'model.pkl': 'p' },
    'mlflow:sklearn',
    'skl2onnx.to_onnx(',
  ],
  ['a model of PyTorch', { MLmodel: 'flavors:\n  python_function: {}\n  pytorch: {}\n' }, 'mlflow:pytorch', 'torch.onnx.export('],
  ['a booster', { MLmodel: 'flavors:\n  python_function: {}\n  xgboost: {}\n' }, 'mlflow:xgboost', 'onnxmltools.convert_xgboost('],
  ['code', { MLmodel: 'flavors:\n  python_function: {}\n' }, 'mlflow:python_function', 'mlflow.onnx.log_model'],
  [
    'an MLmodel that names a file above',
    { MLmodel: 'flavors:\n  onnx:\n    data: ../model.onnx\n', 'model.onnx': 'o' },
    'mlflow:onnx',
    'not a plain file name',
  ],
  ['an MLmodel that is no YAML', { MLmodel: 'flavors: [' }, 'mlflow:unknown', 'not readable YAML'],
  ['a file of a framework', { 'model.pkl': 'p' }, 'files', 'needs Python to run'],
  ['two networks', { 'a.onnx': 'o', 'b.onnx': 'o' }, 'files', 'in which order'],
  ['nothing of use', { 'readme.md': 'r' }, 'files', 'neither'],
  ['a network that is none', { 'model.onnx': 'text' }, 'files', 'Not a readable ONNX file'],
  ['a network cut off', { 'model.onnx': networkFixture('xgboost').subarray(0, 1000) }, 'files', 'Not a readable ONNX file'],
  [
    'a side file cut off',
    { ...modelFixture('side-file'), 'weights.data': new Uint8Array(1279) },
    'mlflow:onnx',
    "'weights.data' (external data), which has 1279",
  ],
  ['a side file left out', { 'model.onnx': networkFixture('side-file') }, 'files', "not a plain file name among the model's own files"],
])('%s is refused with the way out', async (_name, files, format, reason) => {
  expect(await describeModel(sourceOf(files))).toEqual({ kind: 'unservable', format, reason: expect.stringContaining(reason) })
})

const own = {
  ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], labels: null, preprocessing: null },
  signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 8] }], outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 3] }] },
  ...{ inputExample: null, parity: null, referenceProfile: null },
}

test('a model that describes itself is served as it says, its side files checked all the same', async () => {
  const files = { ...modelFixture('side-file'), 'millrace-model.json': JSON.stringify(own) }
  expect(await describeModel(sourceOf(files))).toMatchObject({ origin: 'own', spec: own, chain: [{ sideFiles: [{ path: 'weights.data' }] }] })
  const without = Object.fromEntries(Object.entries(files).filter(([path]) => path !== 'weights.data'))
  expect(await describeModel(sourceOf(without))).toMatchObject({ kind: 'unservable', format: 'onnx', reason: expect.stringContaining('external data') })
})

test.each<[string, object | string, string]>([
  ['that is not JSON', '{', 'it is not JSON'],
  [
    'with a chain file that is missing',
    { ...own, format: 'onnx-chain', chain: [{ file: 'model.onnx' }, { file: 'head.onnx' }] },
    "names 'head.onnx', which is not among the files",
  ],
  ['with an example that is missing', { ...own, inputExample: 'example.json' }, "names 'example.json'"],
  ['of an unknown format', { ...own, format: 'pickle' }, "names the format 'pickle'"],
  ['of two files in the format of one', { ...own, chain: [{ file: 'model.onnx' }, { file: 'model.onnx' }] }, "call it 'onnx-chain'"],
  ['without inputs', { ...own, signature: { ...own.signature, inputs: [] } }, 'signature.inputs'],
  ['with a file outside of the artifact', { ...own, chain: [{ file: '../../etc/passwd' }] }, 'a plain file name of the artifact'],
  ['of an image classifier without labels', { ...own, task: 'image-classification' }, 'needs labels and preprocessing'],
])('a description %s makes a model unservable, with what to correct', async (_name, description, reason) => {
  const text = typeof description === 'string' ? description : JSON.stringify(description)
  const result = await describeModel(sourceOf({ 'millrace-model.json': text, 'model.onnx': networkFixture('contrib') }))
  expect(result).toMatchObject({ kind: 'unservable', reason: expect.stringContaining(reason) })
})

test('a fault of the store is no verdict on the model', async () => {
  const { files } = sourceOf(modelFixture('xgboost'))
  const open = () => Promise.reject(new AppError('RESOURCE_DOES_NOT_EXIST', 'no such blob'))
  await expect(describeModel({ files, open })).rejects.toThrow('no such blob')
})
