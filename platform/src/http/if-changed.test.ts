import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { startServer } from './server.ts'
import { createKeyRing } from './signed-identity.ts'
import { createServiceClient } from './undici-client.ts'

const ring = createKeyRing(['inference', 'registry'])
const response = z.object({ count: z.number() })

/** A sibling that holds a number under a tag. */
async function sibling() {
  const held = { count: 1 }
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    drainMs: 100,
    app: (request, answer) => {
      const etag = `"${held.count}"`
      const status = request.headers['if-none-match'] === etag ? 304 : 200
      answer.writeHead(status, { etag }).end(status === 304 ? undefined : JSON.stringify(held))
    },
  })
  onTestFinished(() => server.stop())
  const identity = ring.identityOf('inference')
  const client = createServiceClient({ baseUrl: () => server.value.url, audience: 'registry', identity, log: silentLog, metrics: createMetrics('inference') })
  onTestFinished(() => client.stop())
  return { held, client: client.value }
}

test('what has not changed since the tag is null, what has comes with its new tag', async () => {
  const { held, client } = await sibling()
  const first = await client.ifChanged({ path: '/state', etag: null, response })
  expect(first).toEqual({ body: { count: 1 }, etag: '"1"' })
  expect(await client.ifChanged({ path: '/state', etag: first?.etag ?? null, response })).toBeNull()
  held.count = 2
  expect(await client.ifChanged({ path: '/state', etag: first?.etag ?? null, response })).toEqual({ body: { count: 2 }, etag: '"2"' })
})
