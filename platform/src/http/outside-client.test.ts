import { expect, test } from 'vitest'
import { TransientError } from '../errors.ts'
import { insideTransaction } from '../sql/sql.ts'
import { RECEIVER_HOST, startReceiver } from '../testing/https-receiver.ts'
import { OutsideRefused } from './outside-client.ts'
import { createOutsideClient } from './undici-outside-client.ts'

const request = (url: string) => ({ url, headers: { 'content-type': 'application/json' }, body: '{"a":"ü"}', timeoutMs: 10_000, keepBytes: 100 })

test('a body arrives byte for byte under the name that the certificate holds for', async () => {
  const receiver = await startReceiver()
  receiver.answer = (response) => response.writeHead(429, { 'retry-after': '7' }).end('later, please')
  expect(await receiver.client().post(request(receiver.url('/a?b=c')))).toEqual({ status: 429, body: 'later, please', retryAfter: '7' })
  expect(receiver.received).toMatchObject([{ path: '/a?b=c', body: '{"a":"ü"}', headers: { host: expect.stringContaining(RECEIVER_HOST) } }])
})

test.each([
  'https://localhost/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://10.0.0.1/',
  'https://0.0.0.0/',
  'https://[fe80::1]/',
  'https://[fd00::1]/',
  'https://[64:ff9b::a9fe:a9fe]/',
])('%s is refused', async (url) => {
  const client = createOutsideClient()
  await expect(client.post(request(url))).rejects.toBeInstanceOf(OutsideRefused)
  expect(await client.findProblem(new URL(url).hostname)).toMatchObject({ kind: 'not-public' })
})

test('a name is refused when only one of its addresses is private', async () => {
  const client = createOutsideClient({ resolve: async () => ['1.1.1.1', '10.0.0.5'] })
  expect(await client.findProblem('mixed.example')).toEqual({ kind: 'not-public', detail: '10.0.0.5' })
  await expect(client.post(request('https://mixed.example/'))).rejects.toThrow("'mixed.example' resolves to 10.0.0.5, which is not a public address")
})

test('a name that resolves to something else from one time to the next is looked at each time', async () => {
  const receiver = await startReceiver()
  const answers = [['127.0.0.1'], ['169.254.169.254']]
  const client = receiver.client({ resolve: async () => answers.shift() ?? [] })
  expect((await client.post(request(receiver.url()))).status).toBe(200)
  await expect(client.post(request(receiver.url()))).rejects.toBeInstanceOf(OutsideRefused)
  await expect(client.post(request(receiver.url()))).rejects.toThrow('cannot be resolved: it has no address')
  expect(receiver.received).toHaveLength(1)
})

test('the connection goes to the address that was checked and its peer is checked again', async () => {
  const receiver = await startReceiver()
  const asked: string[] = []
  // Fine when it is resolved, refused once it is the peer.
  const client = receiver.client({ allowAddress: (address) => asked.push(address) === 1 })
  await expect(client.post(request(receiver.url()))).rejects.toThrow('the connection led to 127.0.0.1, which is not a public address')
  expect(asked).toEqual(['127.0.0.1', '127.0.0.1'])
  expect(receiver.received).toEqual([])
})

test('a redirect is an answer, wherever it leads', async () => {
  const receiver = await startReceiver()
  receiver.answer = (response) => response.writeHead(302, { location: 'https://127.0.0.1/private' }).end()
  expect(await receiver.client().post(request(receiver.url()))).toMatchObject({ status: 302 })
  expect(receiver.received).toHaveLength(1)
})

test('of an endless answer only the first bytes are kept', async () => {
  const receiver = await startReceiver()
  receiver.answer = (response) => {
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', write)
    write()
  }
  expect(await receiver.client().post(request(receiver.url()))).toMatchObject({ status: 200, body: 'x'.repeat(100) })
  expect(await receiver.client().post({ ...request(receiver.url()), keepBytes: 0 })).toMatchObject({ status: 200, body: '' })
})

test('a receiver that says nothing, hangs up, is not there or is not who it says is a transient fault', async () => {
  const receiver = await startReceiver()
  receiver.answer = () => undefined
  await expect(receiver.client().post({ ...request(receiver.url()), timeoutMs: 200 })).rejects.toThrow('no answer within 0.2 s')
  receiver.answer = (response) => response.destroy()
  await expect(receiver.client().post(request(receiver.url()))).rejects.toBeInstanceOf(TransientError)
  await expect(receiver.client().post(request(`https://${RECEIVER_HOST}:1/`))).rejects.toBeInstanceOf(TransientError)
  await expect(receiver.client().post(request(receiver.url().replace(RECEIVER_HOST, 'other.example')))).rejects.toBeInstanceOf(TransientError)
  await expect(createOutsideClient({ resolve: () => Promise.reject(new Error('ENOTFOUND')) }).post(request('https://gone.example/'))).rejects.toThrow(
    "'gone.example' cannot be resolved: ENOTFOUND",
  )
})

test('only https is called, and nothing at all inside a transaction', async () => {
  const receiver = await startReceiver()
  await expect(receiver.client().post(request(receiver.url().replace('https:', 'http:')))).rejects.toThrow('only https is called, not http')
  await expect(insideTransaction(() => receiver.client().post(request(receiver.url())))).rejects.toThrow('inside a transaction')
})

test('a call that is given up ends at once', async () => {
  const receiver = await startReceiver()
  const giveUp = new AbortController()
  receiver.answer = () => giveUp.abort()
  await expect(receiver.client().post({ ...request(receiver.url()), signal: giveUp.signal })).rejects.toBeInstanceOf(TransientError)
  const never = receiver.client({ resolve: () => new Promise(() => undefined) })
  await expect(never.post({ ...request(receiver.url()), signal: AbortSignal.abort() })).rejects.toThrow('no answer in time')
})
