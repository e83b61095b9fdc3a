import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../testing/until.ts'
import { bytes, ok, route } from './route.ts'
import { jsonOf, serveRoutes } from './serve-routes.fixture.ts'
import { startServer } from './server.ts'

const start = async (app: Parameters<typeof startServer>[0]['app'], drainMs = 10_000) => {
  const server = await startServer({ host: '127.0.0.1', port: 0, app, drainMs })
  onTestFinished(() => server.stop().catch(() => undefined))
  return server
}

test('a taken port is one clear refusal', async () => {
  const { value } = await start((_request, response) => response.end())
  await expect(startServer({ host: '127.0.0.1', port: value.port, app: () => undefined })).rejects.toMatchObject({
    code: 'RESOURCE_CONFLICT',
    message: `Port ${value.port} is taken on 127.0.0.1: set PORT to a free one, or stop the program that uses it.`,
  })
})

test('an address that the machine does not have is refused with the way out', async () => {
  await expect(startServer({ host: '203.0.113.7', port: 0, app: () => undefined })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
})

test('stopping lets the answer in progress finish, and takes no new connection', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let entered = false
  const server = await start(async (_request, response) => {
    entered = true
    await released
    response.end('done')
  })
  const answer = fetch(server.value.url)
  await until(() => entered)
  const stopped = server.stop()
  await until(() =>
    fetch(server.value.url).then(
      () => false,
      () => true,
    ),
  )
  release()
  expect(await (await answer).text()).toBe('done')
  await stopped
})

test('an idle kept-alive connection does not hold up the stop', async () => {
  const server = await start((_request, response) => response.end('x'))
  const socket = connect(server.value.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  await server.stop()
  if (!socket.closed) await once(socket, 'close')
})

test('an answer that never ends is cut off after the drain time', async () => {
  let entered = false
  const server = await start(() => {
    entered = true
  }, 50)
  const answer = fetch(server.value.url).then(
    () => 'answered',
    () => 'cut',
  )
  await until(() => entered)
  await server.stop()
  expect(await answer).toBe('cut')
})

test('the direct handler comes before the routes and passes on what is not its own', async () => {
  const thing = route({ method: 'GET', path: '/thing', access: 'public', summary: 'Thing', handle: async () => ok({ from: 'route' }) })
  const app = await serveRoutes([thing], {
    direct: (request, response) => {
      if (request.url !== '/predict') return false
      response.end('{"from":"direct"}')
      return true
    },
  })
  expect(await jsonOf(await app.send('/predict'))).toEqual({ from: 'direct' })
  expect(await jsonOf(await app.send('/thing'))).toEqual({ from: 'route' })
})

test('a direct handler that throws costs one request, not the process', async () => {
  const faults: unknown[] = []
  const bug = new Error('bug')
  const direct = () => {
    throw bug
  }
  const server = await startServer({ host: '127.0.0.1', port: 0, app: () => undefined, direct, onFault: (error) => faults.push(error) })
  onTestFinished(() => server.stop())
  expect((await fetch(server.value.url)).status).toBe(500)
  expect((await fetch(server.value.url)).status).toBe(500)
  expect(faults).toEqual([bug, bug])
})

test('health, readiness and metrics answer without a token', async () => {
  let ready = false
  const app = await serveRoutes([], { readiness: async () => ({ ready, detail: { database: ready } }) })
  const health = await fetch(`${app.url}/health`)
  expect([health.status, await health.text(), health.headers.get('content-type')]).toEqual([200, 'OK', 'text/plain; charset=utf-8'])
  const notReady = await fetch(`${app.url}/ready`)
  expect([notReady.status, await notReady.json()]).toEqual([503, { ready: false, service: 'registry', parts: { database: false } }])
  ready = true
  expect((await fetch(`${app.url}/ready`)).status).toBe(200)
  expect((await fetch(`${app.url}/metrics`)).headers.get('content-type')).toContain('version=0.0.4')
})

test('a readiness check that throws is not ready, and a service that is stopping neither', async () => {
  const failing = await serveRoutes([], { readiness: () => Promise.reject(new Error('secret')) })
  expect(await jsonOf(await fetch(`${failing.url}/ready`))).toEqual({ ready: false, service: 'registry', parts: { failed: true } })
  const stopping = await serveRoutes([], { draining: AbortSignal.abort() })
  const answer = await fetch(`${stopping.url}/ready`)
  expect([answer.status, answer.headers.get('connection')]).toEqual([503, 'close'])
})

test('an event stream ends when the service is about to stop', async () => {
  const draining = new AbortController()
  const source = new Readable({ read: () => undefined })
  source.push('data: 1\n\n')
  const events = route({
    method: 'GET',
    path: '/events',
    access: 'public',
    summary: 'Events',
    handle: async () => bytes(source, { 'content-type': 'text/event-stream' }),
  })
  const app = await serveRoutes([events], { draining: draining.signal })
  const reader = (await fetch(`${app.url}/events`)).body?.getReader()
  expect((await reader?.read())?.value).toEqual(new TextEncoder().encode('data: 1\n\n'))
  draining.abort()
  await expect(reader?.read()).rejects.toThrow()
  expect(source.destroyed).toBe(true)
})
