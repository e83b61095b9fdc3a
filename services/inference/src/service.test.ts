import { prediction } from '@millrace/contracts/http/inference.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { imageForm, picture } from './testing/picture.ts'
import { colourModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf } from './testing/test-pod.ts'

test('a promoted version is fetched, tried, opened, warmed up and answers; the pod says so', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  await world.publish(stateOf('colour', { generation: 1, production: ['1', await world.seal(colourModel(0))] }))
  await pod.serves('colour', '1')
  const response = await pod.call('/predict', { method: 'POST', body: imageForm(picture([250, 10, 10])), headers: { 'x-request-id': 'r-1' } })
  expect(response.status).toBe(200)
  const answer = prediction.parse(await response.json())
  expect(answer).toMatchObject({ predicted_class: 'red', predicted_label: 'Red', model_name: 'colour', model_version: '1', cached: false, request_id: 'r-1' })
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-millrace-model-version': '1',
    'x-millrace-arm': 'production',
    'x-millrace-generation': '1',
    'x-request-id': 'r-1',
    'x-prediction-id': answer.prediction_id,
  })
  const [activated] = await until(async () => {
    const events = await world.events('millrace.serving-events.v1', 'activated')
    return events.length > 0 ? events : null
  })
  expect(activated).toMatchObject({ model: 'colour', version: '1', arm: 'production', generation: 1 })
})
