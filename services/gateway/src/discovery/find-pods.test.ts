import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { silentLog } from '@millrace/platform/log.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { readPodAddress } from '../domain/pod-address.ts'
import { podUrls } from '../settings/pod-urls.ts'
import { findPods } from './find-pods.ts'
import { createResolveNames, type FoundAddress, type ResolveNames } from './resolve-names.ts'

const addressesOf = (...texts: string[]) => texts.flatMap((text) => readPodAddress(text) ?? [])

async function find(texts: string[], resolve: ResolveNames) {
  const found = await findPods({ addresses: addressesOf(...texts), resolve, maxAgeMs: 1000, log: silentLog })
  onTestFinished(() => found.stop())
  return found.value
}

const held = (...addresses: string[]): FoundAddress[] => addresses.map((address) => ({ address, ttlSeconds: 0 }))

test('every address of a name is a pod, beside those that are written down; the certificate must hold for the name', async () => {
  const resolve: ResolveNames = { addresses: async () => held('10.0.0.2', '10.0.0.1', 'fd00::1'), targets: async () => [] }
  const pods = await find(['http://fixed:1', 'dns+https://pods:8443'], resolve)
  expect(pods.list()).toEqual(['http://fixed:1', 'https://10.0.0.1:8443', 'https://10.0.0.2:8443', 'https://[fd00::1]:8443'])
  expect(['https://10.0.0.1:8443', 'http://fixed:1'].map(pods.serverNameOf)).toEqual(['pods', undefined])
})

test('a service record tells names and ports', async () => {
  const resolve: ResolveNames = {
    addresses: async (name) => held(name === 'a.pods' ? '10.0.0.1' : '10.0.0.2'),
    targets: async () => [
      { name: 'a.pods', port: 1001 },
      { name: 'b.pods', port: 1002 },
    ],
  }
  expect((await find(['srv+http://_http._tcp.pods'], resolve)).list()).toEqual(['http://10.0.0.1:1001', 'http://10.0.0.2:1002'])
})

test('pods that come and go are seen; while DNS fails, or knows nothing, the last ones stay', async () => {
  let answer: () => Promise<FoundAddress[]> = async () => held('10.0.0.1')
  const asked: number[] = []
  const pods = await find(['dns+http://pods:80'], {
    addresses: () => {
      asked.push(1)
      return answer()
    },
    targets: async () => [],
  })
  answer = async () => held('10.0.0.1', '10.0.0.2')
  await until(() => pods.list().length === 2)
  for (const fault of [async () => [], async () => Promise.reject(new Error('SERVFAIL'))]) {
    answer = fault
    const before = asked.length
    await until(() => asked.length >= before + 1)
    expect(pods.list()).toHaveLength(2)
  }
  answer = async () => held('10.0.0.3')
  await until(() => pods.list().join() === 'http://10.0.0.3:80')
})

test('the start does not wait for a name server that is away for ever: the list is empty until it is back', async () => {
  const pods = await find(['dns+http://pods:80'], { addresses: async () => Promise.reject(new Error('timeout')), targets: async () => [] })
  expect(pods.list()).toEqual([])
})

test('settings say what is expected', () => {
  expect(podUrls.safeParse('http://a:1, dns+http://b:2').data).toHaveLength(2)
  for (const text of ['', 'a:1', 'dns+http://b', 'http://a:1,ftp://b']) expect(podUrls.safeParse(text).error?.issues[0]?.message).toMatch(/dns\+http/)
})

const RESPONSE_FLAGS = 0x8180
const TYPES = { a: 1, aaaa: 28, srv: 33 }
const nameBytes = (name: string): Buffer =>
  Buffer.concat([...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])])

function recordOf(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  // The name is that of the question, at byte 12.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

/** A name server (RFC 1035, section 4) that knows two addresses and one service record. */
async function startNameServer(): Promise<string> {
  const service = Buffer.concat([Buffer.from([0, 1, 0, 1, 0x1f, 0x90]), nameBytes('pod-0.pods.test')])
  const backup = Buffer.concat([Buffer.from([0, 9, 0, 1, 0, 80]), nameBytes('backup.pods.test')])
  const known = new Map([
    [TYPES.a, [recordOf(TYPES.a, 7, Buffer.from([10, 0, 0, 1])), recordOf(TYPES.a, 9, Buffer.from([10, 0, 0, 2]))]],
    [TYPES.srv, [recordOf(TYPES.srv, 30, service), recordOf(TYPES.srv, 30, backup)]],
  ])
  const server = createSocket('udp4')
  server.on('message', (question, from) => {
    const end = question.indexOf(0, 12) + 5
    const answers = known.get(question.readUInt16BE(end - 4)) ?? []
    const head = Buffer.alloc(12)
    question.copy(head, 0, 0, 2)
    head.writeUInt16BE(RESPONSE_FLAGS, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(answers.length, 6)
    server.send(Buffer.concat([head, question.subarray(12, end), ...answers]), from.port, from.address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `127.0.0.1:${server.address().port}`
}

test('a real name server is asked for addresses with their lifetime, and for service records of the first priority', async () => {
  const resolve = createResolveNames([await startNameServer()])
  expect(await resolve.addresses('pods.test')).toEqual([
    { address: '10.0.0.1', ttlSeconds: 7 },
    { address: '10.0.0.2', ttlSeconds: 9 },
  ])
  expect(await resolve.targets('_http._tcp.pods.test')).toEqual([{ name: 'pod-0.pods.test', port: 8080 }])
})
