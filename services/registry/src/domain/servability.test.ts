import type { ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { expect, test } from 'vitest'
import { flavorsOf, judgeFiles, judgeMlmodel, judgeModelSpec } from './servability.ts'

const files = (...paths: string[]): ManifestFile[] => paths.map((path) => ({ path, sizeBytes: 1, sha256: '0'.repeat(64) }))
const signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }] }
const nothing = { labels: null, preprocessing: null, inputExample: null, parity: null, referenceProfile: null }
const spec = { schemaVersion: 1, task: 'tensor', format: 'onnx-chain', chain: [{ file: 'backbone.onnx' }, { file: 'head.onnx' }], signature, ...nothing }

test('a model that describes itself and brings its files can be served', () => {
  const judged = judgeModelSpec(JSON.stringify(spec), files('millrace-model.json', 'backbone.onnx', 'head.onnx'))
  expect(judged).toEqual({ servable: true, format: 'onnx-chain', signature })
})

test.each([
  ['a chain file that is missing', spec, "names 'head.onnx', which is not among the files"],
  ['an example that is missing', { ...spec, chain: [{ file: 'backbone.onnx' }], inputExample: 'example.json' }, "names 'example.json'"],
  ['an unknown format', { ...spec, format: 'pickle' }, "names the format 'pickle'"],
  ['two files in the format of one', { ...spec, format: 'onnx' }, "call it 'onnx-chain'"],
  ['a signature without inputs', { ...spec, signature: { ...signature, inputs: [] } }, 'signature.inputs'],
  ['a chain file outside of the artifact', { ...spec, chain: [{ file: '../../etc/passwd' }] }, 'a plain file name of the artifact'],
  ['an image classifier without labels', { ...spec, task: 'image-classification', chain: [{ file: 'backbone.onnx' }] }, 'needs labels and preprocessing'],
])('%s makes it unservable, with what to correct', (_name, wrong, message) => {
  const judged = judgeModelSpec(JSON.stringify(wrong), files('millrace-model.json', 'backbone.onnx'))
  expect(judged).toMatchObject({ servable: false, reason: expect.stringContaining(message) })
})

test('a description that is not JSON makes it unservable', () => {
  expect(judgeModelSpec('{', [])).toMatchObject({ servable: false, reason: expect.stringContaining('it is not JSON') })
})

const mlmodel = (...flavors: string[]) =>
  `artifact_path: model\nflavors:\n${flavors.map((flavor) => `  ${flavor}:\n    data: x\n    code: null\n`).join('')}mlflow_version: 3.1.0\nsignature:\n  inputs: x\n`

test("an MLmodel's flavors are read without a YAML parser", () => {
  expect(flavorsOf(mlmodel('onnx', 'python_function'))).toEqual(['onnx', 'python_function'])
  expect(flavorsOf('no flavors here')).toEqual([])
})

test.each([
  [['onnx', 'python_function'], 'mlflow:onnx', 'Add one beside the .onnx file'],
  [['python_function', 'sklearn'], 'mlflow:sklearn', 'Export the model as ONNX'],
  [['python_function'], 'mlflow:python_function', 'Export the model as ONNX'],
])('an artifact with flavors %j is tracked, and told how to become servable', (flavors, format, cure) => {
  expect(judgeMlmodel(mlmodel(...flavors))).toMatchObject({ servable: false, format, reason: expect.stringContaining(cure) })
})

test.each([
  ['model.pkl', 'Export the model as ONNX'],
  ['net.onnx', 'Add one beside it'],
  ['readme.md', 'neither'],
])('files alone (%s) are tracked, and told how to become servable', (path, cure) => {
  expect(judgeFiles(files(path))).toMatchObject({ servable: false, reason: expect.stringContaining(cure) })
})
