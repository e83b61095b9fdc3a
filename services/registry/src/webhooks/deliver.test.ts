import { createHmac } from 'node:crypto'
import { TransientError } from '@millrace/platform/errors.ts'
import { type OutsideAnswer, type OutsideClient, OutsideRefused, type OutsideRequest } from '@millrace/platform/http/outside-client.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { startReceiver } from '@millrace/platform/testing/https-receiver.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { webhookBench } from '../testing/webhook-bench.ts'
import { announceChange } from './announce-change.ts'
import { webhookUpkeepJob } from './jobs.ts'
import { createSecretSeal } from './secret-seal.ts'

/** A receiver made of a function. */
function receiving(answer: (request: OutsideRequest) => Partial<OutsideAnswer> | Promise<Partial<OutsideAnswer>>) {
  const requests: OutsideRequest[] = []
  const outside: OutsideClient = {
    findProblem: async () => null,
    post: async (request) => {
      requests.push(request)
      return { status: 200, body: '', retryAfter: null, ...(await answer(request)) }
    },
  }
  return { outside, requests, ids: () => requests.map((request) => request.headers['X-MLflow-Delivery-Id']) }
}

test('a receiver gets body and headers of MLflow, and a signature that it can verify by itself', async () => {
  const receiver = await startReceiver()
  const bench = await webhookBench(receiver.client())
  const id = await bench.create({ url: receiver.url('/hook?x=1'), secret: 's3cret ü' })
  await bench.change('grün')
  await bench.deliver()
  const [received] = receiver.received
  const { headers, body = '' } = received ?? {}
  expect(received).toMatchObject({ path: '/hook?x=1', headers: { 'content-type': 'application/json', 'x-mlflow-timestamp': '1767225600' } })
  expect(body).toBe(
    '{"entity":"model_version_tag","action":"set","timestamp":"2026-01-01T00:00:00.000Z","data":{"name":"fish","version":"1","key":"k","value":"grün"}}',
  )
  const signed = `${String(headers?.['x-mlflow-delivery-id'])}.${String(headers?.['x-mlflow-timestamp'])}.${body}`
  expect(headers?.['x-mlflow-signature']).toBe(
    `v1,${createHmac('sha256', Buffer.from('s3cret ü', 'utf8')).update(Buffer.from(signed, 'utf8')).digest('base64')}`,
  )
  const [delivery] = await bench.deliveries(id)
  expect(delivery).toMatchObject({ id: headers?.['x-mlflow-delivery-id'], status: 'delivered', attempts: 1, last_status: 200 })
})

test('without a secret nothing is signed', async () => {
  const { outside, requests } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  await bench.create()
  await bench.change()
  await bench.deliver()
  expect(Object.keys(requests[0]?.headers ?? {})).toEqual(['Content-Type', 'User-Agent', 'X-MLflow-Delivery-Id', 'X-MLflow-Timestamp'])
})

test('an event goes to every active webhook that follows it, under an id for each, and to no other', async () => {
  const { outside, requests, ids } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  await bench.create({ url: 'https://a.example/' })
  await bench.create({ url: 'https://b.example/', events: ['model_version.created', 'model_version_tag.set'] })
  await bench.create({ url: 'https://other.example/', events: ['model_version.created'] })
  await bench.create({ url: 'https://off.example/', status: 'DISABLED' })
  await bench.remove(await bench.create({ url: 'https://gone.example/' }))
  await bench.change()
  await bench.deliver()
  expect(requests).toHaveLength(2)
  expect(new Set(requests.map((request) => request.url))).toEqual(new Set(['https://a.example/', 'https://b.example/']))
  expect(new Set(ids()).size).toBe(2)
})

test('a change that is rolled back is told to nobody', async () => {
  const { outside, requests } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  await bench.create()
  const broken = bench.database.transaction(async (tx) => {
    await announceChange(tx, { kind: 'version-tag', prompt: false, name: 'fish', version: 1, key: 'k', value: 'v' }, bench.clock())
    throw new Error('no')
  })
  await expect(broken).rejects.toThrow('no')
  await bench.deliver()
  expect(requests).toEqual([])
})

test('after 429, 5xx and silence the same id comes again, with a fresh time and signature, as late as was asked for', async () => {
  const answers = [{ status: 503 }, { status: 429, retryAfter: '600' }, null, { status: 200 }]
  const { outside, requests, ids } = receiving(() => {
    const answer = answers.shift()
    if (!answer) throw new TransientError('ECONNRESET')
    return answer
  })
  const bench = await webhookBench(outside)
  const id = await bench.create({ secret: 's3cret' })
  await bench.change()
  const next = async () => {
    await bench.deliver()
    const [row] = await bench.deliveries(id)
    return row && { status: row.status, inMs: row.attempt_at.getTime() - bench.clock().getTime(), lastStatus: row.last_status, error: row.last_error }
  }
  expect(await next()).toEqual({ status: 'pending', inMs: 1000, lastStatus: 503, error: 'answered with status 503' })
  expect(await next()).toMatchObject({ inMs: 1000 })
  bench.clock.advance(1000)
  expect(await next()).toMatchObject({ inMs: 600_000, lastStatus: 429 })
  bench.clock.advance(600_000)
  expect(await next()).toEqual({ status: 'pending', inMs: 4000, lastStatus: null, error: 'ECONNRESET' })
  bench.clock.advance(4000)
  expect(await next()).toMatchObject({ status: 'delivered', lastStatus: 200, error: '' })
  expect(new Set(ids())).toHaveLength(1)
  expect(requests.map((request) => request.headers['X-MLflow-Timestamp'])).toEqual(['1767225600', '1767225601', '1767226201', '1767226205'])
  expect(new Set(requests.map((request) => request.headers['X-MLflow-Signature']))).toHaveLength(4)
})

test('what is refused for good, or too old, is given up and told in the log without secrets', async () => {
  const lines: unknown[] = []
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    error: () => undefined,
    warn: (message, fields) => lines.push({ message, fields }),
    child: () => log,
  }
  let status = 404
  const { outside, ids } = receiving(() => ({ status, body: 'nope' }))
  const bench = await webhookBench(outside, {}, log)
  const id = await bench.create({ secret: 's3cret', url: 'https://receiver.example/private-path' })
  await bench.change()
  await bench.deliver()
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'dead', last_status: 404, last_error: 'answered with status 404' }])
  status = 500
  await bench.change()
  for (let day = 0; day < 2; day++) {
    await bench.deliver()
    bench.clock.advance(bench.settings.REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS)
  }
  await bench.deliver()
  expect((await bench.deliveries(id)).map((row) => row.status)).toEqual(['dead', 'dead'])
  expect(lines).toMatchObject([
    { message: 'a webhook delivery was given up', fields: { webhookId: id, event: 'model_version_tag.set', reason: 'answered with status 404' } },
    { message: 'a webhook delivery was given up', fields: { reason: 'answered with status 500' } },
  ])
  expect(JSON.stringify(lines)).not.toMatch(/s3cret|private-path|v1,/)
  expect(ids()).toHaveLength(3)
})

test('a process that dies after sending and before writing it down leaves a second delivery under the same id', async () => {
  const { outside, ids } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  const id = await bench.create()
  await bench.change()
  const dying: Database = {
    ...bench.database,
    query: (text, values) => (text.includes('finished_at = $6') ? Promise.reject(new Error('killed')) : bench.database.query(text, values)),
  }
  await bench.deliver(bench.process(dying))
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 1 }])
  await bench.deliver(bench.process())
  expect(ids()).toHaveLength(1)
  bench.clock.advance(60_000)
  await bench.deliver(bench.process())
  const [first, second] = ids()
  expect(ids()).toHaveLength(2)
  expect(second).toBe(first)
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 2 }])
})

test('an attempt that was taken for lost changes nothing when it reports after all', async () => {
  const late = Promise.withResolvers<Partial<OutsideAnswer>>()
  const { outside, ids } = receiving(() => (ids().length === 1 ? late.promise : { status: 503 }))
  const bench = await webhookBench(outside)
  const id = await bench.create()
  await bench.change()
  const slow = bench.process()
  await slow.pass(new AbortController().signal)
  await until(() => ids().length === 1)
  bench.clock.advance(60_000)
  await bench.deliver(bench.process())
  late.resolve({ status: 404 })
  await slow.drained()
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'pending', attempts: 2, last_status: 503 }])
})

test('two processes share the work and send nothing twice', async () => {
  const { outside, ids } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  await bench.create()
  for (let count = 0; count < 30; count++) await bench.change(String(count))
  await Promise.all([bench.deliver(bench.process()), bench.deliver(bench.process())])
  expect(ids()).toHaveLength(30)
  expect(new Set(ids())).toHaveLength(30)
})

test('a receiver that never answers holds up nobody else, and when the registry stops its delivery is due at once', async () => {
  const { outside, requests } = receiving(({ url, signal }) => {
    if (url !== 'https://slow.example/') return {}
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new TransientError('aborted')), { once: true }))
  })
  const bench = await webhookBench(outside, { REGISTRY_WEBHOOK_LANES: 2 })
  const slow = await bench.create({ url: 'https://slow.example/' })
  const fast = await Promise.all(['a', 'b', 'c'].map((name) => bench.create({ url: `https://${name}.example/` })))
  for (let count = 0; count < 10; count++) await bench.change(String(count))
  const stop = new AbortController()
  const deliver = bench.process()
  const passes = async () => {
    while ((await deliver.pass(stop.signal)) && requests.length < 34);
  }
  await passes()
  await until(async () => {
    await passes()
    const rows = await Promise.all(fast.map((id) => bench.deliveries(id)))
    return rows.flat().every((row) => row.status === 'delivered')
  })
  expect(requests.filter((request) => request.url === 'https://slow.example/')).toHaveLength(4)
  stop.abort()
  await deliver.drained()
  const held = (await bench.deliveries(slow)).filter((row) => row.attempts > 0)
  expect(held).toMatchObject(Array(4).fill({ status: 'pending', attempt_at: bench.clock(), last_error: 'the registry stopped in the middle of it' }))
})

test('a webhook that is switched off is sent nothing until it is on again; one that is deleted never', async () => {
  const { outside, requests } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  const [id, gone] = [await bench.create(), await bench.create()]
  await bench.change()
  await bench.update(id, { status: 'DISABLED' })
  await bench.remove(gone)
  await bench.deliver()
  expect(requests).toEqual([])
  await bench.update(id, { status: 'ACTIVE', url: 'https://new.example/' })
  await bench.deliver()
  expect(requests.map((request) => request.url)).toEqual(['https://new.example/'])
  expect(await bench.deliveries(gone)).toMatchObject([{ status: 'dead', last_error: 'the webhook was deleted' }])
})

test('a delivery whose secret cannot be read waits and is never sent unsigned', async () => {
  const { outside, requests } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  const id = await bench.create({ secret: 's3cret' })
  await bench.database.query('update webhook set secret = $1', [createSecretSeal('b2'.repeat(32)).seal('s3cret', id)])
  await bench.change()
  await bench.deliver()
  expect(requests).toEqual([])
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'pending', last_error: expect.stringContaining('encrypted with another key') }])
})

test('an address that is refused when connecting is tried again: names may resolve to something else later', async () => {
  const { outside } = receiving(() => Promise.reject(new OutsideRefused("'x' resolves to 10.0.0.5, which is not a public address")))
  const bench = await webhookBench(outside)
  const id = await bench.create()
  await bench.change()
  await bench.deliver()
  expect(await bench.deliveries(id)).toMatchObject([{ status: 'pending', last_error: expect.stringContaining('10.0.0.5') }])
})

test('finished deliveries are forgotten after their time, those of a webhook that stays off are given up', async () => {
  const { outside } = receiving(() => ({}))
  const bench = await webhookBench(outside)
  const [on, off] = [await bench.create(), await bench.create()]
  await bench.change()
  await bench.update(off, { status: 'DISABLED' })
  await bench.deliver()
  const upkeep = webhookUpkeepJob({ ...bench, config: bench.settings })
  const run = async (ms: number) => {
    bench.clock.advance(ms)
    await upkeep.run(new AbortController().signal)
    return [await bench.deliveries(on), await bench.deliveries(off)].map((rows) => rows.map((row) => row.status))
  }
  expect(await run(0)).toEqual([['delivered'], ['pending']])
  expect(await run(bench.settings.REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS + 1)).toEqual([['delivered'], ['dead']])
  expect(await bench.metrics.expose()).toContain('millrace_registry_webhook_deliveries{status="dead",service="registry"} 1')
  expect(await run(bench.settings.REGISTRY_WEBHOOK_KEEP_MS + 1)).toEqual([[], []])
})
