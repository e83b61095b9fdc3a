import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createUserClient } from './user-client.ts'

/** A gateway that asks everybody for one key. */
async function keyedGateway(): Promise<string> {
  const server = createServer((request, response) => {
    const known = request.headers['x-api-key'] === 'the-key'
    response
      .writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
      .end(JSON.stringify(known ? { name: 'x' } : { detail: 'An API key is needed' }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const answer = z.object({ name: z.string() })

test('the key goes with every request', async () => {
  const client = createUserClient(await keyedGateway(), 'the-key')
  expect(await client.isAdmitted()).toBe(true)
  expect(await client.get('/x', answer)).toEqual({ name: 'x' })
  expect(await client.send('POST', '/x', {}, answer, 'once')).toEqual({ name: 'x' })
})

test.each([undefined, 'another-key'])('without a key that holds (%s) it is not admitted, and says what the gateway said', async (key) => {
  const client = createUserClient(await keyedGateway(), key)
  expect(await client.isAdmitted()).toBe(false)
  await expect(client.get('/x', answer)).rejects.toThrow('GET /x answered 401: An API key is needed')
})
