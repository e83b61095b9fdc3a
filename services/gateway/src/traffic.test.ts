import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { problemOf } from './testing/requests.ts'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

const predict = { method: 'POST', body: 'picture' }

/** A pod that is ready and answers predictions as `answer` says. */
async function startPod(answer: RequestListener): Promise<{ url: string; seen: () => number }> {
  let seen = 0
  const url = await startUpstream((request, response) => {
    request.resume()
    if (request.url === '/v2/health/ready') return void response.end('{"ready":true}')
    seen += 1
    return answer(request, response)
  })
  return { url, seen: () => seen }
}

const answering =
  (text: string): RequestListener =>
  (_request, response) =>
    void response.end(text)
const metricOf = async (send: (path: string) => Promise<Response>, line: string): Promise<number> => {
  const text = await (await send('/metrics')).text()
  return text
    .split('\n')
    .filter((entry) => line.split(' ').every((part) => entry.includes(part)) && !entry.startsWith('#'))
    .reduce((sum, entry) => sum + Number(entry.split(' ').at(-1)), 0)
}

test('requests in progress on one pod send new ones to the other', async () => {
  const gate = Promise.withResolvers<void>()
  const slow = await startPod(async (_request, response) => {
    await gate.promise
    response.end('slow')
  })
  const quick = await startPod(answering('quick'))
  const { send } = await startGateway({ upstreams: { inference: () => [slow.url, quick.url] } })
  const begun = [send('/predict', predict), send('/predict', predict)]
  await until(() => slow.seen() === 1)
  const asked = Array.from({ length: 20 }, async () => (await send('/predict', predict)).text())
  await until(() => slow.seen() + quick.seen() === 22)
  gate.resolve()
  const answers = await Promise.all(asked)
  expect(answers.filter((text) => text === 'quick').length).toBeGreaterThanOrEqual(15)
  await Promise.all(begun)
})

test('a pod that answers badly again and again is left alone; its callers see no failure', async () => {
  const bad = await startPod((request) => request.socket.destroy())
  const good = await startPod(answering('good'))
  const { send } = await startGateway({
    upstreams: { inference: () => [bad.url, good.url] },
    config: { GATEWAY_EJECT_AFTER_FAULTS: 2, GATEWAY_EJECTION_MS: 60_000 },
  })
  for (let index = 0; index < 30; index++) expect(await (await send('/predict', predict)).text()).toBe('good')
  expect(bad.seen()).toBe(2)
  expect(await metricOf(send, 'gateway_ejections_total reason="faults"')).toBe(1)
})

test('a pod that sheds load is asked again later: it is never left alone for that', async () => {
  const shedding = await startPod((_request, response) => response.writeHead(503, { 'x-millrace-reason': 'queue_full', 'content-length': '0' }).end())
  const good = await startPod(answering('good'))
  const { send } = await startGateway({ upstreams: { inference: () => [shedding.url, good.url] }, config: { GATEWAY_EJECT_AFTER_FAULTS: 2 } })
  for (let index = 0; index < 20; index++) expect(await (await send('/predict', predict)).text()).toBe('good')
  expect(shedding.seen()).toBeGreaterThan(5)
  expect(await metricOf(send, 'gateway_ejections_total')).toBe(0)
})

test('where every pod sheds load, the caller gets what a pod said, after two were asked', async () => {
  const shed: RequestListener = (_request, response) =>
    void response.writeHead(503, { 'x-millrace-reason': 'queue_full', 'retry-after': '7', 'content-length': '4' }).end('full')
  const pods = await Promise.all([startPod(shed), startPod(shed), startPod(shed)])
  const { send } = await startGateway({ upstreams: { inference: () => pods.map(({ url }) => url) } })
  const answer = await send('/predict', predict)
  expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-millrace-reason'), await answer.text()]).toEqual([
    503,
    '7',
    'queue_full',
    'full',
  ])
  expect(pods.reduce((sum, pod) => sum + pod.seen(), 0)).toBe(2)
})

test('a model that is not loaded here is asked of every pod', async () => {
  const without = (): ReturnType<typeof startPod> =>
    startPod((_request, response) => response.writeHead(503, { 'x-millrace-reason': 'not_ready', 'content-length': '0' }).end())
  const pods = await Promise.all([without(), without(), startPod(answering('here'))])
  const { send } = await startGateway({ upstreams: { inference: () => pods.map(({ url }) => url) } })
  for (let index = 0; index < 6; index++) expect(await (await send('/predict', predict)).text()).toBe('here')
})

test('when the budget for retries is spent, requests fail instead of doubling the load', async () => {
  const bad: RequestListener = (request) => request.socket.destroy()
  const pods = await Promise.all([startPod(bad), startPod(bad)])
  const config = { GATEWAY_RETRY_PERCENT: 0, GATEWAY_RETRY_MIN_PER_SECOND: 0, GATEWAY_EJECT_AFTER_FAULTS: 1000 }
  const { send } = await startGateway({ upstreams: { inference: () => pods.map(({ url }) => url) }, config })
  for (let index = 0; index < 10; index++) expect((await send('/predict', predict)).status).toBe(503)
  expect(pods.reduce((sum, pod) => sum + pod.seen(), 0)).toBeLessThanOrEqual(11)
  expect(await metricOf(send, 'gateway_retries_total no_budget')).toBeGreaterThan(0)
})

test('a pod that is not ready gets no new predictions, and what it has in its hands ends well', async () => {
  const gate = Promise.withResolvers<void>()
  const state = { status: 200, seen: 0 }
  const leaving = await startUpstream(async (request, response) => {
    request.resume()
    if (request.url === '/v2/health/ready') return void response.writeHead(state.status).end()
    state.seen += 1
    await gate.promise
    response.end('last words')
  })
  const staying = await startPod(answering('staying'))
  const { send } = await startGateway({ upstreams: { inference: () => [leaving, staying.url] }, config: { GATEWAY_PROBE_EVERY_MS: 50 } })
  const begun = [send('/predict', predict), send('/predict', predict)]
  await until(() => state.seen > 0)
  state.status = 503
  await until(async () => (await metricOf(send, 'gateway_pods inference not_ready')) === 1)
  const before = state.seen
  for (let index = 0; index < 20; index++) expect(await (await send('/predict', predict)).text()).toBe('staying')
  expect(state.seen).toBe(before)
  gate.resolve()
  const texts = await Promise.all(begun.map(async (answer) => (await answer).text()))
  expect(texts).toContain('last words')
})

test('predictions on a pod that stands still go to another one, before their time is up', async () => {
  const still = await startUpstream(() => undefined)
  const good = await startPod(answering('good'))
  const config = { GATEWAY_PROBE_EVERY_MS: 50, GATEWAY_PROBE_TIMEOUT_MS: 100 }
  const { send } = await startGateway({ upstreams: { inference: () => [still, good.url] }, config })
  const answers = await Promise.all(Array.from({ length: 20 }, async () => (await send('/predict', predict)).text()))
  expect(new Set(answers)).toEqual(new Set(['good']))
  expect(await metricOf(send, 'gateway_pods inference gone')).toBe(1)
})

test('a pod that leaves the list gets nothing new, and finishes what it has', async () => {
  const gate = Promise.withResolvers<void>()
  const leaving = await startPod(async (_request, response) => {
    await gate.promise
    response.end('finished')
  })
  const staying = await startPod(answering('staying'))
  let list = [leaving.url]
  const { send } = await startGateway({ upstreams: { inference: () => list } })
  const begun = send('/predict', predict)
  await until(() => leaving.seen() === 1)
  list = [staying.url]
  expect(await (await send('/predict', predict)).text()).toBe('staying')
  gate.resolve()
  expect(await (await begun).text()).toBe('finished')
})

test('a model whose requests take all of its places leaves those of the others free', async () => {
  const gate = Promise.withResolvers<void>()
  const pod = await startPod(async (request, response) => {
    if (request.url?.includes('slow')) await gate.promise
    response.end('done')
  })
  const { send } = await startGateway({ upstreams: { inference: () => [pod.url] }, config: { GATEWAY_MAX_IN_FLIGHT_PER_MODEL: 2 } })
  const begun = [send('/v2/models/slow/infer', predict), send('/v2/models/slow/infer', predict)]
  await until(() => pod.seen() === 2)
  const refused = await send('/v2/models/slow/infer', predict)
  expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('x-millrace-reason')]).toEqual([503, '1', 'queue_full'])
  expect((await problemOf(refused)).error).toBe('Too many requests for the model "slow" are in progress: try again.')
  expect((await send('/v2/models/quick/infer', predict)).status).toBe(200)
  gate.resolve()
  await Promise.all(begun)
  expect((await send('/v2/models/slow/infer', predict)).status).toBe(200)
})

test('the time that a caller gives holds, and each pod is told what is left of it', async () => {
  const told: string[] = []
  const pod = await startPod((request, response) => {
    told.push(String(request.headers['x-request-timeout-ms']))
    if (request.url === '/predict') response.end()
  })
  const { send } = await startGateway({ upstreams: { inference: () => [pod.url] } })
  await send('/predict', { ...predict, headers: { 'x-request-timeout-ms': '5000' } })
  expect(Number(told[0])).toBeGreaterThan(0)
  expect(Number(told[0])).toBeLessThanOrEqual(5000)
  const late = await send('/invocations', { ...predict, headers: { 'x-request-timeout-ms': '60' } })
  expect([late.status, (await problemOf(late)).error_code]).toEqual([504, 'DEADLINE_EXCEEDED'])
  await send('/predict', { ...predict, headers: { 'x-request-timeout-ms': '99999999' } })
  expect(Number(told.at(-1))).toBeLessThanOrEqual(30_000)
})

test('a large prediction is held too, so that another pod can answer it; answers of every form pass through whole', async () => {
  const broken = await startPod((request) => void request.once('end', () => request.socket.destroy()))
  const counting = await startPod(async (request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    if (!request.readableEnded) await once(request, 'end')
    response.end(String(bytes))
  })
  const { send } = await startGateway({ upstreams: { inference: () => [broken.url, counting.url] } })
  const body = new Uint8Array(6 * 1024 * 1024)
  for (let index = 0; index < 4; index++) expect(await (await send('/predict', { method: 'POST', body })).text()).toBe(String(body.length))
  const forms = await startPod((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '10' }).end()
    else if (request.url?.includes('empty')) response.writeHead(200, { 'content-length': '0' }).end()
    else if (request.url?.includes('none')) response.writeHead(204).end()
    else response.write('a', () => response.end('b'))
  })
  const other = await startGateway({ upstreams: { inference: () => [forms.url] } })
  expect((await other.send('/v2', { method: 'HEAD' })).status).toBe(200)
  expect(await (await other.send('/v2/models/empty')).text()).toBe('')
  expect((await other.send('/v2/models/none')).status).toBe(204)
  expect(await (await other.send('/v2/models/x')).text()).toBe('ab')
})
