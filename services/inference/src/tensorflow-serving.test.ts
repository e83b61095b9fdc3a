import { expect, test } from 'vitest'
import { echoModel } from './testing/echo-model.ts'
import { startServedPod } from './testing/served-pod.ts'
import { scaleModel } from './testing/test-model.ts'
import { stateOf } from './testing/test-pod.ts'

test('rows are answered by rows, columns by columns; one output bare, several by name', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3), text: echoModel(['BYTES']) })
  const predict = async (path: string, body: unknown) => (await post(path, body)).body
  const rows = {
    predictions: [
      { y: [4, 7], product: [3, 6] },
      { y: [1, 1], product: [0, 0] },
    ],
  }
  expect(
    await predict('/v1/models/scale:predict', {
      instances: [
        [1, 2],
        [0, 0],
      ],
    }),
  ).toEqual(rows)
  expect(await predict('/v1/models/scale/versions/1:predict', { signature_name: 'serving_default', instances: [{ x: [1, 2] }, { x: [0, 0] }] })).toEqual(rows)
  expect(await predict('/v1/models/scale/labels/production:predict', { inputs: { x: [[1, 2]] } })).toEqual({ outputs: { y: [[4, 7]], product: [[3, 6]] } })
  expect(await predict('/v1/models/scale:predict', { inputs: [[1, 2]] })).toEqual({ outputs: { y: [[4, 7]], product: [[3, 6]] } })
  expect(await predict('/v1/models/text:predict', { instances: [['a', { b64: Buffer.from('é').toString('base64') }]] })).toEqual({ predictions: [['a', 'é']] })
  expect(await predict('/v1/models/text:predict', { inputs: [['a', 'b']] })).toEqual({ outputs: [['a', 'b']] })
})

test('every bad request is refused by one line that repeats nothing of it', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3), text: echoModel(['BYTES']) })
  const cases: [name: string, path: string, body: unknown, status: number, says: string][] = [
    ['neither rows nor columns', 'scale:predict', {}, 400, 'instances'],
    ['both', 'scale:predict', { instances: [[1, 2]], inputs: [[1, 2]] }, 400, 'one of'],
    ['a list', 'scale:predict', [[1, 2]], 400, 'object'],
    ['no rows', 'scale:predict', { instances: [] }, 400, 'at least one'],
    ['another signature', 'scale:predict', { signature_name: 'hush', instances: [[1, 2]] }, 400, 'serving_default'],
    ['ragged rows', 'scale:predict', { instances: [[1, 2], [1]] }, 400, 'nested data'],
    ['another shape', 'scale:predict', { instances: [[1, 2, 3]] }, 400, '[1, 3]'],
    ['an unknown input', 'scale:predict', { instances: [{ hush: [1, 2] }] }, 400, "'x'"],
    ['text', 'scale:predict', { instances: [['hush', 1]] }, 400, 'element 0'],
    ['bare NaN', 'scale:predict', '{"instances": [[NaN, 1]]}', 400, 'position'],
    ['no base64', 'text:predict', { instances: [[{ b64: 'hush!' }, 'a']] }, 400, 'base64'],
    ['an object that is no text', 'text:predict', { instances: [[{ refused: 'hush' }, 'a']] }, 400, 'element 0'],
    ['an unknown model', 'none:predict', { instances: [[1]] }, 404, 'none'],
    ['an unknown version', 'scale/versions/7:predict', { instances: [[1, 2]] }, 404, '7'],
    ['an unknown label', 'scale/labels/stable:predict', { instances: [[1, 2]] }, 404, 'stable'],
    ['classify', 'scale:classify', {}, 501, ':predict'],
    ['regress', 'scale/versions/1:regress', {}, 501, ':predict'],
    ['explain', 'scale:explain', {}, 501, ':predict'],
    ['an unknown verb', 'scale:dance', {}, 405, 'GET'],
    ['nothing', 'scale/versions', {}, 404, 'nothing'],
  ]
  for (const [name, path, body, status, says] of cases) {
    const answer = await post(`/v1/models/${path}`, body)
    expect([name, answer.status, answer.body]).toEqual([name, status, { error: expect.stringContaining(says) }])
    expect([name, answer.text.includes('hush')]).toEqual([name, false])
  }
})

test('a body whose type nobody named is read as JSON, another type is refused', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3) })
  const status = async (type: string) => (await post('/v1/models/scale:predict', '{"instances": [[1, 2]]}', { 'content-type': type })).status
  expect(await status('application/x-www-form-urlencoded')).toBe(200)
  expect(await status('application/json; charset=utf-8')).toBe(200)
  expect(await status('text/csv')).toBe(415)
})

test('states, metadata and the list of models are those of the protocol', async () => {
  const { world, call } = await startServedPod({ scale: scaleModel(3) })
  expect((await call('/v1/models')).body).toEqual({ models: ['scale'] })
  const available = { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }
  for (const path of ['scale', 'scale/versions/1', 'scale/labels/production']) {
    expect((await call(`/v1/models/${path}`)).body).toEqual({ name: 'scale', ready: true, model_version_status: [available] })
  }
  expect((await call('/v1/models/scale/versions/2')).status).toBe(404)
  expect((await call('/v1/models/none')).body).toEqual({ error: expect.stringContaining('none') })
  const { metadata, model_spec: spec } = Object((await call('/v1/models/scale/metadata')).body)
  expect(spec).toEqual({ name: 'scale', signature_name: '', version: '1' })
  expect(metadata.signature_def.signature_def.serving_default.inputs.x).toMatchObject({
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: [{ size: '-1' }, { size: '2' }] },
  })
  await world.publish(stateOf('broken', { generation: 1, production: ['4', { ...(await world.seal(scaleModel(1))), sha256: '0'.repeat(64) }] }))
  const status = async () => Object((await call('/v1/models/broken')).body)
  await expect.poll(async () => (await status()).name).toBe('broken')
  expect(await status()).toMatchObject({ ready: false })
})
