import { gatewayReady } from '@millrace/contracts/http/gateway.ts'
import { startServer } from '@millrace/platform/http/server.ts'
import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import { createAuthority } from '@millrace/platform/testing/self-signed.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway } from './testing/start-gateway.ts'

const authority = createAuthority()
const tlsOf = (from = authority): ServiceTls => ({ ...from.issue(['127.0.0.1']), ca: authority.ca })

/** A pod that takes calls with a certificate only. */
async function startPod(): Promise<string> {
  const pod = await startServer({
    ...{ host: '127.0.0.1', port: 0, tls: tlsOf(), drainMs: 100 },
    app: (request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ready: true, path: request.url }))
    },
  })
  onTestFinished(() => pod.stop())
  return pod.value.url
}

const predict = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }

test('with its certificate the gateway reaches pods behind mutual TLS, and asks whether they are ready', async () => {
  const url = await startPod()
  const { send } = await startGateway({ upstreams: { inference: () => [url] }, tls: tlsOf() })
  const answer = await send('/v2/models/fish/infer', predict)
  expect([answer.status, await answer.json()]).toMatchObject([200, { path: '/v2/models/fish/infer' }])
  const ready = gatewayReady.parse(await (await send('/ready')).json())
  expect(ready.parts['inference']).toMatchObject({ ready: true })
})

test('without a certificate, or with one of another authority, pods refuse the gateway: its caller gets a 503', async () => {
  const url = await startPod()
  for (const tls of [{ cert: '', key: '', ca: authority.ca }, tlsOf(createAuthority())]) {
    const { send } = await startGateway({ upstreams: { inference: () => [url] }, tls })
    expect((await send('/v2/models/fish/infer', predict)).status).toBe(503)
    const ready = gatewayReady.parse(await (await send('/ready')).json())
    expect(ready.parts['inference']).toMatchObject({ ready: false })
  }
})
