import { Agent, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

/** Sends bodies one after the other over the one connection. */
function sender(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const headers = (size: number) => ({ 'content-type': 'application/json', 'content-length': size })
  return (size: number) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const options = { agent, host: '127.0.0.1', port, path: '/api/2.0/mlflow-artifacts/artifacts/x', method: 'PUT', headers: headers(size) }
      const sent = request(options, async (response) => resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() }))
      sent.once('error', reject).end(Buffer.alloc(size, 32))
    })
}

const REFUSAL = '{"error_code":"PERMISSION_DENIED"}'

test('a service that refuses before it has read the body is heard, and the connection takes the next request', async () => {
  const tracking = await startUpstream((message, response) => {
    message.once('end', () => response.end())
    response.writeHead(403, { 'content-type': 'application/json', 'content-length': REFUSAL.length, connection: 'close' }).write(REFUSAL)
    message.resume()
  })
  const { port } = await startGateway({ upstreams: { tracking: () => [tracking] } })
  const send = sender(port)
  for (const size of [10, 20_000_000, 10, 2_000_000, 10]) expect(await send(size)).toEqual({ status: 403, text: REFUSAL })
})

test('one that hangs up on a body takes nothing from the connection of the caller either', async () => {
  const hangsUp = [true, true, false]
  const tracking = await startUpstream(async (message, response) => {
    if (hangsUp.shift()) message.socket.destroy()
    else response.end(String((await message.toArray()).length > 0))
  })
  const { port } = await startGateway({ upstreams: { tracking: () => [tracking] } })
  const send = sender(port)
  for (const size of [20_000_000, 2_000_000]) expect((await send(size)).status).toBe(503)
  expect(await send(2_000_000)).toEqual({ status: 200, text: 'true' })
})
