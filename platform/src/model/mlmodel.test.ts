import { expect, test } from 'vitest'
import { parseMlmodel } from './mlmodel.ts'

const onnx = 'flavors:\n  onnx:\n    data: model.onnx\n  python_function:\n    loader_module: mlflow.onnx\n'
const withInputs = (inputs: unknown) => `${onnx}signature:\n  inputs: '${JSON.stringify(inputs)}'\n  outputs: null\n`

test('flavors, the network, columns, examples and notes are read', () => {
  const columns = [
    { type: 'double', name: 'a', required: true },
    { type: 'string', name: 'b' },
  ]
  const example = 'saved_input_example_info:\n  artifact_path: input_example.json\n  serving_input_path: serving.json\nmetadata:\n  class_names: [x, y]\n'
  expect(parseMlmodel(withInputs(columns) + example)).toEqual({
    ...{ flavors: ['onnx', 'python_function'], onnxFile: 'model.onnx', columns, exampleFiles: ['serving.json', 'input_example.json'] },
    metadata: { class_names: ['x', 'y'] },
  })
})

test.each([
  ['tensors', [{ type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 4] } }]],
  ['columns without names', [{ type: 'double' }]],
  ['columns of lists', [{ type: 'array', items: { type: 'double' }, name: 'a' }]],
  [
    'the same column twice',
    [
      { type: 'double', name: 'a' },
      { type: 'double', name: 'a' },
    ],
  ],
  ['nothing', []],
])('a signature of %s names no table', (_name, inputs) => {
  expect(parseMlmodel(withInputs(inputs)).columns).toBeNull()
})

test.each([
  ['fields of other shapes', 'flavors:\n  onnx: 3\nsignature: [1]\nsaved_input_example_info: x\nmetadata: null\n', ['onnx']],
  ['no flavors', 'artifact_path: model\n', []],
  ['a signature that is no JSON', `${onnx}signature:\n  inputs: "[{"\n`, ['onnx', 'python_function']],
  ['a tag that would make an object', `${onnx}evil: !!python/object/apply:os.system ['true']\n`, ['onnx', 'python_function']],
])('%s are taken for absent', (_name, text, flavors) => {
  expect(parseMlmodel(text)).toMatchObject({ flavors, columns: null, exampleFiles: [] })
})

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefghij'.split('').map((name, at) => `${name}: &${name} [${'*abcdefghi'[0]}${'abcdefghi'[at]}${`, *${'abcdefghi'[at]}`.repeat(8)}]`),
].join('\n')

test.each([
  ['text', 'just words'],
  ['a list', '- 1\n- 2\n'],
  ['broken YAML', 'flavors: [\n'],
  ['aliases that multiply', bomb],
  ['brackets without end', '['.repeat(200_000)],
])('%s is refused with what to do', (_name, text) => {
  expect(() => parseMlmodel(text)).toThrow('log the model again with an MLflow client')
})
