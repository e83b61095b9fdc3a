import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createOutsideClient, type OutsideClientOptions } from '../http/undici-outside-client.ts'
import { selfSigned } from './self-signed.ts'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The name under which the receiver's certificate holds; only the client made for it resolves it. */
export const RECEIVER_HOST = 'receiver.example'

const loopback = (address: string): boolean => address === '127.0.0.1'

/** An HTTPS server on loopback that keeps what it is sent; `answer` may be exchanged. It ends with the test. */
export async function startReceiver() {
  const certificate = selfSigned([RECEIVER_HOST])
  const received: Received[] = []
  const receiver = {
    received,
    answer: (response: ServerResponse, _request: Received): void => {
      response.end('taken')
    },
    url: (path = '/hook'): string => `https://${RECEIVER_HOST}:${port}${path}`,
    /** Calls loopback, and only loopback, as if it were the public internet. */
    client: (options: OutsideClientOptions = {}) =>
      createOutsideClient({ allowAddress: loopback, resolve: async () => ['127.0.0.1'], ca: certificate.cert, ...options }),
  }
  const server = createServer(certificate, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const entry = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
    received.push(entry)
    receiver.answer(response, entry)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // The cast is sound: a server that listens on a port has an address of that kind.
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return receiver
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
