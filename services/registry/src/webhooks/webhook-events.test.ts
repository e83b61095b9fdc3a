import { createHmac } from 'node:crypto'
import type { Log } from '@millrace/platform/log.ts'
import { startReceiver } from '@millrace/platform/testing/https-receiver.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { registered, runningRegistry } from '../testing/running-registry.ts'

const KEY = 'a1'.repeat(32)
const everything = [
  ...['REGISTERED_MODEL.CREATED', 'MODEL_VERSION.CREATED', 'MODEL_VERSION_TAG.SET', 'MODEL_VERSION_TAG.DELETED'],
  ...['MODEL_VERSION_ALIAS.CREATED', 'MODEL_VERSION_ALIAS.DELETED', 'PROMPT.CREATED', 'PROMPT_VERSION.CREATED', 'PROMPT_TAG.SET'],
].map((name) => ({ entity: name.split('.')[0], action: name.split('.')[1] }))
const sent = z.object({ entity: z.string(), action: z.string(), timestamp: z.iso.datetime(), data: z.record(z.string(), z.unknown()) })

/** A registry with one webhook that follows everything, and the receiver that it leads to. */
async function followed(log?: Log) {
  const receiver = await startReceiver()
  const registry = await runningRegistry({ REGISTRY_WEBHOOK_KEY: KEY }, { outside: receiver.client(), ...(log ? { log } : {}) })
  const fields = { name: 'ci', url: receiver.url('/private-path'), events: everything, secret: 's3cret' }
  const { body } = await registry.mlflow('POST', 'webhooks', fields)
  const { webhook_id: id } = z.object({ webhook_id: z.string() }).parse(body['webhook'])
  const events = () => receiver.received.map((each) => sent.parse(JSON.parse(each.body)))
  const deliveries = async (query = '') => {
    const answer = await registry.send('GET', `/api/v1/webhooks/${id}/deliveries${query}`)
    return z.array(z.looseObject({ deliveryId: z.string(), status: z.string() })).parse(answer.body['deliveries'])
  }
  return { receiver, registry, id, events, deliveries }
}

test('every change that MLflow tells of reaches the receiver once, with the fields that MLflow gives it', async () => {
  const { receiver, registry, events } = await followed()
  const { mlflow } = registry
  await registered(registry)
  for (const value of ['v', 'v']) await mlflow('POST', 'model-versions/set-tag', { name: 'fish', version: '1', key: 'k', value })
  for (const key of ['k', 'never-set']) await mlflow('DELETE', 'model-versions/delete-tag', { name: 'fish', version: '1', key })
  for (const alias of ['champion', 'champion', 'other']) await mlflow('POST', 'registered-models/alias', { name: 'fish', alias, version: '1' })
  await mlflow('DELETE', 'registered-models/alias', { name: 'fish', alias: 'other' })
  await mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' })
  await mlflow('POST', 'registered-models/set-tag', { name: 'fish', key: 'not', value: 'told' })
  await until(() => receiver.received.length === 8)
  const told = events().map(({ entity, action, data }) => `${entity}.${action} ${JSON.stringify(data)}`)
  expect(new Set(told)).toEqual(
    new Set([
      'model_version.created {"name":"fish","version":"1","source":"runs:/fish-run-1/model","run_id":"fish-run-1","tags":{},"description":null}',
      'model_version_alias.created {"name":"fish","alias":"champion","version":"1"}',
      'model_version_alias.created {"name":"fish","alias":"other","version":"1"}',
      'model_version_alias.deleted {"name":"fish","alias":"champion"}',
      'model_version_alias.deleted {"name":"fish","alias":"other"}',
      'model_version_tag.deleted {"name":"fish","version":"1","key":"k"}',
      'model_version_tag.set {"name":"fish","version":"1","key":"k","value":"v"}',
      'registered_model.created {"name":"fish","tags":{},"description":""}',
    ]),
  )
})

test('prompts are told of as prompts', async () => {
  const { receiver, registry, events } = await followed()
  const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
  await registry.mlflow('POST', 'registered-models/create', { name: 'hi', tags })
  const text = [...tags, { key: 'mlflow.prompt.text', value: 'Hello {{name}}' }]
  await registry.mlflow('POST', 'model-versions/create', { name: 'hi', source: 'prompt-template', tags: text })
  await registry.mlflow('POST', 'registered-models/set-tag', { name: 'hi', key: 'team', value: 'lake' })
  await until(() => receiver.received.length === 3)
  const told = events().map(({ entity, action, data }) => `${entity}.${action} ${JSON.stringify(data)}`)
  expect(new Set(told)).toEqual(
    new Set([
      'prompt.created {"name":"hi","tags":{},"description":""}',
      'prompt_tag.set {"name":"hi","key":"team","value":"lake"}',
      'prompt_version.created {"name":"hi","version":"1","template":"Hello {{name}}","tags":{},"description":null}',
    ]),
  )
})

test('a trial sends an example of the event, signed, and tells what was answered', async () => {
  const { receiver, registry, id, deliveries } = await followed()
  const attempt = async (body: object = {}) => (await registry.mlflow('POST', `webhooks/${id}/test`, { ...body })).body['result']
  receiver.answer = (response) => response.writeHead(201).end('thanks')
  expect(await attempt()).toEqual({ success: true, response_status: 201, response_body: 'thanks' })
  const [first] = receiver.received
  const header = (name: string): string => String(first?.headers[name])
  const body = first?.body ?? ''
  expect(sent.parse(JSON.parse(body))).toMatchObject({ entity: 'registered_model', data: { name: 'example_model' } })
  const signed = `${header('x-mlflow-delivery-id')}.${header('x-mlflow-timestamp')}.${body}`
  expect(header('x-mlflow-signature')).toBe(`v1,${createHmac('sha256', 's3cret').update(signed).digest('base64')}`)
  receiver.answer = (response) => response.writeHead(500).end()
  expect(await attempt({ event: { entity: 'PROMPT_ALIAS', action: 'DELETED' } })).toEqual({ success: false, response_status: 500 })
  expect(receiver.received[1]?.body).toContain('"data":{"name":"example_prompt","alias":"example_alias"}')
  receiver.answer = (response) => response.writeHead(302, { location: 'https://127.0.0.1/' }).end()
  expect(await attempt()).toMatchObject({ success: false, response_status: 302, error_message: expect.stringContaining('redirects are not followed') })
  receiver.answer = (response) => response.destroy()
  expect(await attempt()).toMatchObject({ success: false, error_message: expect.stringMatching(/^Failed to test webhook: /) })
  expect(await attempt({ event: { entity: 'RUN', action: 'CREATED' } })).toBeUndefined()
  expect(await deliveries()).toEqual([])
})

test('what was given up can be looked up and sent again under its id', async () => {
  const { receiver, registry, id, deliveries } = await followed()
  receiver.answer = (response) => response.writeHead(410).end()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await until(async () => (await deliveries('?status=dead')).length === 1)
  const [dead] = await deliveries()
  expect(dead).toMatchObject({ event: 'registered_model.created', attempts: 1, lastStatus: 410, lastError: 'answered with status 410', nextAttemptAt: null })
  receiver.answer = (response) => response.end()
  const redelivery = `/api/v1/webhooks/${id}/deliveries/${dead?.deliveryId}/redelivery`
  expect((await registry.send('POST', redelivery, { role: 'promoter' })).status).toBe(403)
  expect((await registry.send('POST', redelivery)).status).toBe(204)
  await until(async () => (await deliveries('?status=delivered')).length === 1)
  expect(receiver.received.map((each) => each.headers['x-mlflow-delivery-id'])).toEqual([dead?.deliveryId, dead?.deliveryId])
  expect((await registry.send('POST', redelivery)).status).toBe(404)
  expect((await registry.send('GET', '/api/v1/webhooks/none/deliveries')).status).toBe(404)
  expect((await registry.send('GET', `/api/v1/webhooks/${id}/deliveries?status=lost`)).status).toBe(400)
  expect((await registry.send('POST', `/api/v1/webhooks/${id}/deliveries/1/redelivery`)).status).toBe(400)
})

test('what a registry held when it stopped is sent by the next one under the same id, and no line of the log holds a secret', async () => {
  const lines: unknown[] = []
  const keep = (message: string, fields?: object) => {
    lines.push([message, fields])
  }
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  const { receiver, registry, deliveries } = await followed(log)
  receiver.answer = () => undefined
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await until(() => receiver.received.length === 1)
  receiver.answer = (response) => response.end()
  await registry.restart()
  await until(async () => (await deliveries('?status=delivered')).length === 1)
  const ids = receiver.received.map((each) => each.headers['x-mlflow-delivery-id'])
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(1)
  expect(JSON.stringify(lines)).not.toMatch(/s3cret|private-path|a1a1a1|v1,/)
})
