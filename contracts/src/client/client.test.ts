import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ApiError, connectApi } from './http-api.ts'
import { RegistryClient } from './registry-client.ts'
import { TrackingClient } from './tracking-client.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

/** A server that answers what the test says, and remembers what it was asked. */
async function serverWith(answer: (seen: Seen, response: ServerResponse) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const one = { method: request.method ?? '', url: request.url ?? '', body: await text(request), headers: request.headers }
    seen.push(one)
    answer(one, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, seen }
}

const json = (response: ServerResponse, body: unknown, status = 200): void => void response.writeHead(status).end(JSON.stringify(body))
const ping = { method: 'GET', path: '/ping', response: z.looseObject({}) } as const

test('a refusal is told by its code, in each of the three dialects', async () => {
  const bodies = [{ error_code: 'PERMISSION_DENIED', message: 'no' }, { code: 'PERMISSION_DENIED', detail: 'no' }, { error: 'no' }]
  const { url } = await serverWith((_seen, response) => json(response, bodies.shift(), 403))
  const api = connectApi({ url })
  for (const code of ['PERMISSION_DENIED', 'PERMISSION_DENIED', 'HTTP_403'])
    await expect(api.call(ping)).rejects.toMatchObject({ status: 403, code, message: 'no' })
})

test('a call that may be repeated is tried again; one that may not is not', async () => {
  let busy = 2
  const { url, seen } = await serverWith((_seen, response) => (busy-- > 0 ? json(response, {}, 503) : json(response, { fine: true })))
  const api = connectApi({ url, pauseMs: 1 })
  expect(await api.call(ping)).toEqual({ fine: true })
  busy = 1
  await expect(api.call({ ...ping, method: 'POST' })).rejects.toBeInstanceOf(ApiError)
  expect(seen).toHaveLength(4)
})

test('a server that is not there is UNREACHABLE', async () => {
  const api = connectApi({ url: 'http://127.0.0.1:9', tries: 2, pauseMs: 1 })
  await expect(api.call(ping)).rejects.toMatchObject({ code: 'UNREACHABLE', status: 0 })
})

test('metrics go in batches that the server takes, and parameters once', async () => {
  const { url, seen } = await serverWith((_seen, response) => json(response, {}))
  const metrics = Array.from({ length: 1700 }, (_, step) => ({ key: 'loss[0]', value: step === 3 ? Number.NaN : step, timestamp: 1, step }))
  await new TrackingClient(connectApi({ url, token: 'k' })).logBatch('r', { metrics, params: { lr: '0.1' } }, 'epoch')
  const sent = seen.map(({ body }) => JSON.parse(body))
  expect(sent.map((batch) => batch.metrics.length)).toEqual([800, 800, 99])
  expect(sent.map((batch) => batch.params?.length ?? 0)).toEqual([1, 0, 0])
  expect(sent[0].metrics[0].key).toBe('loss_0_')
  expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(3)
  expect(seen[0]?.headers.authorization).toBe('Bearer k')
})

test('a search follows the pages', async () => {
  const run = (id: string) => ({
    info: { run_id: id, run_name: id, experiment_id: '1', status: 'FINISHED', artifact_uri: 'x', lifecycle_stage: 'active' },
    data: {},
  })
  const { url } = await serverWith(({ body }, response) =>
    json(response, JSON.parse(body).page_token === 'two' ? { runs: [run('b')] } : { runs: [run('a')], next_page_token: 'two' }),
  )
  const found: string[] = []
  for await (const { info } of new TrackingClient(connectApi({ url })).searchRuns({ experimentIds: ['1'] })) found.push(info.run_id)
  expect(found).toEqual(['a', 'b'])
})

test('an artifact is opened anew for every attempt, and its path encoded', async () => {
  let busy = 1
  const { url, seen } = await serverWith((_seen, response) => json(response, {}, busy-- > 0 ? 503 : 200))
  let opened = 0
  async function* content() {
    opened += 1
    yield new TextEncoder().encode('bytes')
  }
  await new TrackingClient(connectApi({ url, pauseMs: 1 })).uploadArtifact({ runId: 'r', artifactRoot: '1/r/artifacts' }, 'a b/50%.txt', content)
  expect(seen.map(({ url: path, body }) => [path, body])).toEqual(Array(2).fill(['/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a%20b/50%25.txt', 'bytes']))
  expect(opened).toBe(2)
})

test('a model that is there already is no error; any other refusal is', async () => {
  const codes = ['RESOURCE_ALREADY_EXISTS', 'INVALID_PARAMETER_VALUE']
  const { url } = await serverWith((_seen, response) => json(response, { error_code: codes.shift(), message: 'm' }, 400))
  const registry = new RegistryClient(connectApi({ url }))
  await registry.ensureModel('fish')
  await expect(registry.ensureModel('a/b')).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
})
