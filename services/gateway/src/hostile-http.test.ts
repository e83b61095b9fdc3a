import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { sendRaw } from './testing/requests.ts'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

/** A gateway in front of a pod that writes down the paths it is asked for. */
async function startWatched() {
  const paths: string[] = []
  const pod = await startUpstream((request, response) => {
    request.resume()
    if (request.url !== '/v2/health/ready') paths.push(`${request.method} ${request.url}`)
    request.once('end', () => response.end(`answer to ${request.url};`))
  })
  return { ...(await startGateway({ upstreams: { inference: () => [pod] } })), paths }
}

const SMUGGLED = 'GET /v2/models/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
const host = (port: number): string => `Host: localhost:${port}`

test.each([
  ['a length and an encoding', `Content-Length: ${SMUGGLED.length + 5}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${SMUGGLED}`],
  ['an encoding and a length', `Transfer-Encoding: chunked\r\nContent-Length: 4`, `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`],
  ['two lengths that differ', 'Content-Length: 0\r\nContent-Length: 60', SMUGGLED],
  ['two lengths that agree', 'Content-Length: 4\r\nContent-Length: 4', `abcd${SMUGGLED}`],
  ['lengths in a list', 'Content-Length: 0, 60', SMUGGLED],
  ['a length with a sign', 'Content-Length: +4', `abcd${SMUGGLED}`],
  ['a negative length', 'Content-Length: -1', SMUGGLED],
  ['a hexadecimal length', 'Content-Length: 0x4', `abcd${SMUGGLED}`],
  ['an unknown encoding', 'Transfer-Encoding: xchunked', `0\r\n\r\n${SMUGGLED}`],
  ['an encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${SMUGGLED}`],
  ['chunked that is not last', 'Transfer-Encoding: chunked, gzip', `0\r\n\r\n${SMUGGLED}`],
  ['a name with a space', 'Content-Length : 4', `abcd${SMUGGLED}`],
  ['a folded header', 'Content-Length: 4\r\n folded', `abcd${SMUGGLED}`],
  ['a bare line feed', 'X: a\nTransfer-Encoding: chunked', `0\r\n\r\n${SMUGGLED}`],
  ['a bare carriage return', 'X: a\rTransfer-Encoding: chunked', `0\r\n\r\n${SMUGGLED}`],
  ['a chunk size that is none', 'Transfer-Encoding: chunked', `zz\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`],
  ['a chunk size beyond all bounds', 'Transfer-Encoding: chunked', `fffffffffffffffff\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`],
  ['a chunk longer than its size', 'Transfer-Encoding: chunked', `2\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`],
  ['a chunk that ends with a bare line feed', 'Transfer-Encoding: chunked', `4\nabcd\n0\n\n${SMUGGLED}`],
  ['a NUL in a header', 'X: a\0b\r\nContent-Length: 0', SMUGGLED],
])('a prediction with %s is refused, and what hides behind it reaches nobody', async (_, headers, body) => {
  const { port, send, paths } = await startWatched()
  const answer = await sendRaw(port, `POST /predict HTTP/1.1\r\n${host(port)}\r\n${headers}\r\n\r\n${body}`)
  expect(answer).toMatch(/^HTTP\/1.1 (?:400|413)/)
  expect(paths.filter((path) => path.includes('smuggled'))).toEqual([])
  expect(answer).not.toContain('smuggled')
  expect((await send('/health')).status).toBe(200)
})

test.each([
  ['no version', 'GET /\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(600, 'x')],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['an unknown method', 'BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a path with a space', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['ten thousand headers', `GET / HTTP/1.1\r\nHost: localhost\r\n${'a: b\r\n'.repeat(10_000)}\r\n`],
  ['a path of a megabyte', `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
])('%s is refused in one line, or hung up on, and the gateway goes on', async (_, text) => {
  const { port, send } = await startWatched()
  const answer = await sendRaw(port, text).catch(() => '')
  expect(answer === '' || /^HTTP\/1.1 4\d\d/.test(answer)).toBe(true)
  expect((await send('/health')).status).toBe(200)
})

test('a tunnel is not offered, an upgrade is not made, and the target of a proxy is no path', async () => {
  const { port, paths } = await startWatched()
  expect(await sendRaw(port, `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`).catch(() => '')).not.toMatch(/^HTTP\/1.1 2/)
  const upgrade = `GET /v2 HTTP/1.1\r\n${host(port)}\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`
  expect(await sendRaw(port, upgrade)).not.toMatch(/^HTTP\/1.1 101/)
  expect(await sendRaw(port, `GET http://evil.example/v2 HTTP/1.1\r\n${host(port)}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 4/)
  expect(paths.filter((path) => path.includes('evil'))).toEqual([])
})

test('requests in one piece are answered in their order', async () => {
  const { port } = await startWatched()
  const ask = (name: string, more = ''): string => `GET /v2/models/${name} HTTP/1.1\r\n${host(port)}\r\n${more}\r\n`
  const answer = await sendRaw(port, ask('one') + ask('two') + ask('three', 'Connection: close\r\n'))
  expect([...answer.matchAll(/answer to \/v2\/models\/(\w+);/g)].map(([, name]) => name)).toEqual(['one', 'two', 'three'])
})

test('a client that sends half a request and closes its half leaves nothing behind', async () => {
  const { port, send, paths } = await startWatched()
  for (let index = 0; index < 50; index++) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => undefined)
    socket.end(`POST /predict HTTP/1.1\r\n${host(port)}\r\nContent-Length: 1000\r\n\r\nhalf`)
  }
  expect(await (await send('/v2/models/fish')).text()).toBe('answer to /v2/models/fish;')
  expect(paths.filter((path) => path.startsWith('POST'))).toEqual([])
})
