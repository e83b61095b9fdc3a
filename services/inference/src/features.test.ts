import { featuresPrediction, featuresRequest, servedModelDetail } from '@millrace/contracts/http/inference.ts'
import { expect, test } from 'vitest'
import { startServedPod } from './testing/served-pod.ts'
import { tableModel } from './testing/table-model.ts'
import { colourModel } from './testing/test-model.ts'

const setUp = () => startServedPod({ table: tableModel(), colour: colourModel(0) })

test('features by position or by name are answered with the prediction and all that is known of it', async () => {
  const { post } = await setUp()
  const answer = await post('/predict', { model: 'table', features: [1, 2, 3], model_version: 'latest', request_id: 'mine' })
  const body = featuresPrediction.parse(answer.body)
  expect(body).toMatchObject({ prediction: 321, confidence: null, model_name: 'table', model_version: '1', request_id: 'mine', cached: false })
  expect(body.processing_time).toBeGreaterThan(0)
  expect(Math.abs(Date.parse(body.timestamp) - Date.now())).toBeLessThan(60_000)
  expect(answer.headers.get('x-prediction-id')).toBe(body.prediction_id)
  const predict = async (content: unknown, query = '') => Object((await post(`/predict${query}`, featuresRequest.parse(content))).body)
  expect(await predict({ columns: { debt: 3, age: 1, income: 2 } }, '?model=table')).toMatchObject({ prediction: 321, cached: true })
  expect(await predict({ model: 'table', columns: { debt: [3, 0], age: [1, 1], income: [2, 0] } })).toMatchObject({
    predictions: [
      { prediction: 321, confidence: null },
      { prediction: 1, confidence: null },
    ],
  })
  expect(await predict({ model: 'table', records: [{ age: 1, income: 2, debt: 3 }] })).toMatchObject({ predictions: [{ prediction: 321 }] })
  expect(await predict({ model: 'table', features: [[1, 2, 3]], model_version: '1' })).toMatchObject({ predictions: [{ prediction: 321 }], model_version: '1' })
  expect(await predict({ model: 'table', features: [1, 2, 3], model_version: 'production' })).toMatchObject({ prediction: 321 })
})

test('a classifier answers a class and how sure it is', async () => {
  const { post } = await setUp()
  const features = Array.from({ length: 192 }, (_, index) => (index % 3 === 2 ? 1 : 0))
  const { body } = await post('/predict', { model: 'colour', features })
  expect(body).toMatchObject({ prediction: 'blue', confidence: expect.closeTo(0.93, 1) })
})

test('a wrong count says what was expected, and every other mistake what to send', async () => {
  const { post } = await setUp()
  const cases: [name: string, body: unknown, status: number, says: string][] = [
    ['too few', { model: 'table', features: [1, 2] }, 400, 'Expected 3 features, got 2'],
    ['too many', { model: 'table', features: [1, 2, 3, 4] }, 400, 'Expected 3 features, got 4'],
    ['too few pixels', { model: 'colour', features: [1] }, 400, 'Expected 192 features, got 1'],
    ['none', { model: 'table', features: [] }, 400, 'features must be a list'],
    ['nothing', { model: 'table' }, 400, 'no features'],
    ['two forms', { model: 'table', features: [1, 2, 3], columns: {} }, 400, 'features and columns'],
    ['text', { model: 'table', features: [1, 2, 'hush'] }, 400, "row 0 of the column 'debt'"],
    ['values and rows', { model: 'table', features: [[1, 2, 3], 4] }, 400, 'both rows and values'],
    ['a missing column', { model: 'table', columns: { age: 1 } }, 400, "'income' is missing"],
    ['columns of unlike length', { model: 'table', columns: { age: [1], income: [1, 2], debt: 3 } }, 400, 'same length'],
    ['several models', { features: [1, 2, 3] }, 400, 'Several models'],
    ['an unknown model', { model: 'none', features: [1] }, 404, 'none'],
    ['an unknown version', { model: 'table', features: [1, 2, 3], model_version: '9' }, 404, "'9'"],
    ['a version that is none', { model: 'table', features: [1, 2, 3], model_version: {} }, 400, 'model_version'],
    ['a list', [1, 2, 3], 400, 'not an object'],
  ]
  for (const [name, body, status, says] of cases) {
    const answer = await post('/predict', body)
    expect([name, answer.status, Object(answer.body).detail]).toEqual([name, status, expect.stringContaining(says)])
    expect([name, answer.text.includes('hush')]).toEqual([name, false])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  }
})

test('a model is described with what it takes, where, and since when', async () => {
  const { call } = await setUp()
  const table = servedModelDetail.parse((await call('/api/v1/serving/models/table')).body)
  expect(table).toMatchObject({
    ...{ pod: 'inference-0', model: 'table', generation: 1, task: 'tensor', labels: null },
    versions: [{ version: '1', arm: 'production', state: 'ready', loadMs: expect.any(Number), memoryBytes: expect.any(Number) }],
    features: [
      { name: 'age', type: 'double', required: true, size: 1 },
      { name: 'income', type: 'double', required: true, size: 1 },
      { name: 'debt', type: 'double', required: false, size: 1 },
    ],
  })
  expect(servedModelDetail.parse((await call('/api/v1/serving/models/colour')).body)).toMatchObject({
    ...{ features: [{ name: 'image', type: 'FP32', size: 192 }], labels: ['red', 'green', 'blue', 'grey'] },
  })
  expect((await call('/api/v1/serving/models/none')).status).toBe(404)
})
