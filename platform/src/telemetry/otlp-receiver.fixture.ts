import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'
import { z } from 'zod'

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })
const span = z.object({
  name: z.string(),
  kind: z.number(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: z.array(attribute),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  status: z.object({ code: z.number(), message: z.string().optional() }),
})
const payload = z.object({
  resourceSpans: z.array(z.object({ resource: z.object({ attributes: z.array(attribute) }), scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
})

type Attributes = Record<string, unknown>
const attributesOf = (list: readonly z.infer<typeof attribute>[]): Attributes =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]))

/** A collector on a free loopback port until the test ends: keeps the spans of all that it is sent, as OTLP's JSON has them. */
export async function startReceiver(status = 200) {
  const spans: (Omit<z.infer<typeof span>, 'attributes'> & { attributes: Attributes; resource: Attributes })[] = []
  const paths: string[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8'))
    paths.push(request.url ?? '')
    for (const { resource, scopeSpans } of payload.parse(body).resourceSpans)
      for (const one of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({ ...one, attributes: attributesOf(one.attributes), resource: attributesOf(resource.attributes) })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
  return { url: `http://127.0.0.1:${address.port}`, spans, paths }
}
