import { expect, test } from 'vitest'
import { scaleModel } from '../testing/test-model.ts'
import { createWorld, startTestPod, stateOf } from '../testing/test-pod.ts'

const json = { 'content-type': 'application/json' }
const tensors = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] }

test('a header has a candidate answer, whatever the split says, in every way of asking', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one, two] = [await world.seal(scaleModel(1)), await world.seal(scaleModel(2))]
  await world.publish(stateOf('scale', { generation: 1, production: ['1', one], candidates: [['2', two, 'staging', 0]] }))
  await pod.serves('scale', '1')
  await pod.serves('scale', '2', 'staging')
  const ask = async (path: string, body: unknown, version: string | null, type = json['content-type']): Promise<string | number | null> => {
    const headers = { 'content-type': type, ...(version === null ? {} : { 'x-millrace-version': version }) }
    const answer = await pod.call(path, { method: 'POST', headers, body: JSON.stringify(body) })
    await answer.arrayBuffer()
    return answer.ok ? answer.headers.get('x-millrace-model-version') : answer.status
  }
  const rows = { instances: [[1, 2]] }
  const ways: [path: string, body: unknown, type?: string][] = [
    ['/v2/models/scale/infer', tensors],
    ['/v1/models/scale:predict', { inputs: { x: [[1, 2]] } }],
    ['/invocations', rows],
    ['/invocations', [1, 2], 'application/jsonlines'],
    ['/predict', { features: [1, 2] }],
  ]
  for (const [path, body, type] of ways) {
    const answers = await Promise.all([null, '2', 'staging', 'production'].map((version) => ask(path, body, version, type)))
    expect([path, ...answers]).toEqual([path, '1', '2', '2', '1'])
  }
  const infer = '/v2/models/scale/infer'
  expect(await ask(infer, tensors, '9')).toBe(404)
  expect(await ask(infer, tensors, '')).toBe(400)
  expect(await ask(infer, tensors, 'v'.repeat(257))).toBe(400)
  expect(await ask('/v2/models/scale/versions/2/infer', tensors, '2')).toBe('2')
  expect(await ask('/v2/models/scale/versions/1/infer', tensors, '2')).toBe(400)
})
