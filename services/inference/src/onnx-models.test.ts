import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { modelFixture, networkFixture } from '@millrace/platform/testing/model-folder.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { createWorld, startTestPod, stateOf } from './testing/test-pod.ts'

/** A pod that is told to serve these files. */
async function podWith(files: Record<string, Uint8Array>, config: Parameters<typeof startTestPod>[1] = {}) {
  const world = await createWorld()
  const pod = await startTestPod(world, config)
  await world.publish(stateOf('net', { generation: 1, production: ['1', await world.seal(files)] }))
  const failure = () => until(async () => (await world.events('millrace.serving-events.v1', 'loadfailed'))[0] ?? null)
  return { pod, failure }
}

const custom = writeOnnx({
  ...{ name: 'custom', inputs: [{ name: 'x', shape: ['n', 2] }], outputs: [{ name: 'y', shape: ['n', 2] }], initializers: [] },
  nodes: [{ op: 'EPContext', inputs: ['x'], outputs: ['y'] }],
})

test.each<[string, Record<string, Uint8Array>, string]>([
  ['weights outside of the manifest', { 'model.onnx': networkFixture('side-file') }, 'external data'],
  ['a side file that is too short', { ...modelFixture('side-file'), 'weights.data': new Uint8Array(100) }, 'weights.data'],
  ['an operator that opens files', { 'model.onnx': custom }, 'EPContext'],
  ['a pickle', { MLmodel: Buffer.from('flavors:\n  sklearn: {}\n'), 'model.pkl': Buffer.from('p') }, 'mlflow.onnx.log_model'],
])('%s is refused before the runtime sees it', async (_name, files, reason) => {
  const { failure } = await podWith(files)
  expect(await failure()).toMatchObject({ kind: 'deterministic', stage: 'verify', message: expect.stringContaining(reason) })
})

test('the limits are the settings', async () => {
  const { failure } = await podWith(modelFixture('functions'), { config: { MILLRACE_ONNX_MAX_NODES: 1 } })
  expect(await failure()).toMatchObject({ kind: 'deterministic', stage: 'verify', message: expect.stringContaining('more than 1 nodes') })
})

test('dimensions that the file does not tell are those that the runtime finds', async () => {
  const { pod } = await podWith(modelFixture('functions'))
  await pod.serves('net', '1')
  expect(await (await pod.call('/v2/models/net')).json()).toMatchObject({ outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }] })
})

test('a model that takes no zeros and brought no example is served all the same', async () => {
  const { pod } = await podWith(modelFixture('sklearn-columns'))
  await pod.serves('net', '1')
  const cell = (name: string, datatype: string, data: unknown[]) => ({ name, datatype, shape: [1, 1], data })
  const inputs = [cell('age', 'INT64', [25]), cell('city', 'BYTES', ['Rome']), cell('income', 'FP32', [2])]
  const answer = await pod.call('/v2/models/net/infer', { method: 'POST', body: JSON.stringify({ inputs }), headers: { 'content-type': 'application/json' } })
  expect(await answer.json()).toMatchObject({
    outputs: [
      { name: 'label', datatype: 'INT64' },
      { name: 'probabilities', shape: [1, 2] },
    ],
  })
})
