import { createServer, type RequestListener } from 'node:http'
import { createMemoryRateLimiter } from '@millrace/platform/cache/memory-rate-limiter.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { openPglite } from '@millrace/platform/sql/pglite.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { Pool } from 'undici'
import { z } from 'zod'
import { createGateway, gatewayConfig, migrations } from '../../services/gateway/src/service.ts'
import { closedLoop } from './closed-loop.ts'
import { openLoop } from './open-loop.ts'
import { serveParent } from './serve-parent.ts'

const origin = z.object({ origin: z.string() })
const bound = z.object({ serviceMs: z.number(), queue: z.int() })
const BODY = JSON.stringify({
  model_name: 'mlp',
  model_version: '1',
  outputs: [{ name: 'y', shape: [1, 2], datatype: 'FP32', data: [0.25, 0.75] }],
})

/** A pod that answers at once: what is measured in front of it is the way there and back. */
const answerAtOnce: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY), 'x-millrace-model-version': '1' }).end(BODY)
  })
}

/** A pod that is bound by its model: one request after the other, each for `serviceMs`; a full queue is refused, as an inference pod does. */
function answerInTurn({ serviceMs, queue }: z.infer<typeof bound>): RequestListener {
  let waiting = 0
  let freeAtMs = 0
  return (request, response) => {
    request.resume()
    if (request.url === '/v2/health/ready') return void response.end('{"ready":true}')
    if (waiting >= queue) return void response.writeHead(503, { 'x-millrace-reason': 'queue_full', 'retry-after': '1', 'content-length': '0' }).end()
    waiting += 1
    const nowMs = performance.now()
    freeAtMs = Math.max(freeAtMs, nowMs) + serviceMs
    setTimeout(() => {
      waiting -= 1
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) }).end(BODY)
    }, freeAtMs - nowMs)
  }
}

/** The floor: reads the request, passes it on with undici, passes the answer back, and does nothing else. */
function passOn(pool: Pool): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => {
      const headers = { 'content-type': String(request.headers['content-type'] ?? '') }
      pool.dispatch(
        { method: request.method ?? 'GET', path: request.url ?? '/', headers, body: Buffer.concat(chunks) },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, status, answered) => void response.writeHead(status, answered),
          onResponseData: (_controller, chunk) => void response.write(chunk),
          onResponseEnd: () => void response.end(),
          onResponseError: () => void response.destroy(),
        },
      )
    })
  }
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** The gateway with everything in memory: one host's adapters, none of its neighbours. */
async function startGateway(pods: string): Promise<string> {
  const ring = createKeyRing(['gateway', 'inference'])
  const embedded = await openPglite({ directory: null, log: silentLog })
  const database = watchCommits(embedded.value.schema('gateway'))
  await migrateService(database, migrations)
  const ports = {
    log: silentLog,
    clock: systemClock,
    metrics: createMetrics('gateway'),
    database,
    eventLog: createMemoryLog(),
    identity: ring.identityOf('gateway'),
  }
  const none = (): readonly string[] => []
  const upstreams = { tracking: none, registry: none, trainer: none, promoter: none, 'drift-monitor': none, inference: () => pods.split(',') }
  const service = createGateway({
    ...ports,
    newId: newUuidV7,
    upstreams,
    rateLimiters: createMemoryRateLimiter,
    config: gatewayConfig.parse({ GATEWAY_RATE_LIMIT: '0' }),
  })
  return (await startService({ ...ports, service, host: '127.0.0.1', port: 0 })).value.url
}

const arrivals = z.object({ url: z.string(), perSecond: z.number(), forMs: z.number() })
const load = z.object({ url: z.string(), connections: z.int(), forMs: z.number() })
serveParent({
  pod: () => listen(answerAtOnce),
  'bound pod': (input) => listen(answerInTurn(bound.parse(input))),
  pid: () => process.pid,
  memory: () => process.memoryUsage.rss(),
  floor: (input) => listen(passOn(new Pool(origin.parse(input).origin, { connections: 256 }))),
  gateway: (input) => startGateway(origin.parse(input).origin),
  'open loop': (input) => openLoop(arrivals.parse(input)),
  load: (input) => closedLoop(load.parse(input)),
  cpu: () => process.cpuUsage(),
})
