import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { startGateway, startUpstream } from '../testing/start-gateway.ts'

const since = '2026-01-01T00:00:00.000Z'
const version = (generation: number) => ({
  ...{ model: 'fish', version: String(generation), arm: 'production', generation, digest: 'd', state: 'ready', since, sizeBytes: 7, message: '' },
})

const pod =
  (name: string, generation: number): RequestListener =>
  ({ url }, response) => {
    const versions = [version(generation)]
    const detail = { pod: name, model: 'fish', generation, versions, task: null, features: [], inputs: [], outputs: [], labels: null }
    if (url === '/api/v1/serving/models') return void response.end(JSON.stringify({ pod: name, models: versions }))
    if (url === '/api/v1/serving/models/fish') return void response.end(JSON.stringify(detail))
    response.writeHead(404).end('{}')
  }

async function gatewayBefore(...listeners: RequestListener[]) {
  const origins = await Promise.all(listeners.map(startUpstream))
  return startGateway({ upstreams: { inference: () => origins } })
}

const broken: RequestListener = (_request, response) => void response.destroy()

test('every pod is asked what it has loaded, and the silent ones are counted', async () => {
  const { send } = await gatewayBefore(pod('b', 2), broken, pod('a', 1))
  const answer = await send('/api/v1/serving/models')
  expect(await answer.json()).toMatchObject({
    pod: 'a',
    pods: [
      { pod: 'a', models: [{ version: '1' }] },
      { pod: 'b', models: [{ version: '2' }] },
    ],
    silentPods: 1,
  })
})

test('a model is told by the pod that knows of its newest promotion, with what each pod has', async () => {
  const { send } = await gatewayBefore(pod('a', 1), pod('b', 2))
  const answer = await send('/api/v1/serving/models/fish')
  expect(await answer.json()).toMatchObject({
    pod: 'b',
    generation: 2,
    pods: [
      { pod: 'a', generation: 1 },
      { pod: 'b', versions: [{ version: '2' }] },
    ],
    silentPods: 0,
  })
})

test('a model that no pod serves is not there; pods that do not answer are something else', async () => {
  const { send } = await gatewayBefore(pod('a', 1))
  expect((await send('/api/v1/serving/models/cat')).status).toBe(404)
  const silent = await gatewayBefore(broken)
  expect((await silent.send('/api/v1/serving/models/fish')).status).toBe(503)
  expect((await silent.send('/api/v1/serving/models')).status).toBe(503)
})
