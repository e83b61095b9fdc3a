import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Started } from '@millrace/platform/component.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { createOutsideClient } from '@millrace/platform/http/undici-outside-client.ts'
import { startReceiver } from '@millrace/platform/testing/https-receiver.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaksIn, makePrey, type Prey } from './artifact-vectors.fixture.ts'
import { type GuardedMillrace, type Send, startGuarded, type Told, textIn } from './guarded.fixture.ts'

const PREFIXES = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'] as const
const [MLFLOW] = PREFIXES

let millrace: Started<GuardedMillrace>
let send: Send
let prey: Prey
/** What the names of receivers resolve to, one answer after the other; the last one stays. */
let resolved: string[][] = []
const careful = createOutsideClient({ resolve: async () => (resolved.length > 1 ? resolved.shift() : resolved[0]) ?? [] })
let outside: OutsideClient = careful
/** Requests that reached a server of the inner network. */
const inside: string[] = []
const innerServer = createServer((request, response) => {
  inside.push(`${request.method} ${request.url}`)
  response.end('secret of the inner network')
})
let inner: string

beforeAll(async () => {
  innerServer.listen(0, '127.0.0.1')
  await once(innerServer, 'listening')
  const address = innerServer.address()
  inner = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  millrace = await startGuarded({ outside: { findProblem: (name) => outside.findProblem(name), post: (request) => outside.post(request) } })
  send = millrace.value.send
  prey = await makePrey(send, 'prey')
  await send('POST', `${MLFLOW}/registered-models/create`, { body: { name: 'prey' } })
})
afterAll(async () => {
  await millrace.stop()
  innerServer.closeAllConnections()
  innerServer.close()
})

const createVersion = (base: string, source: string, more: object = {}): Promise<Told> =>
  send('POST', `${base}/model-versions/create`, { body: { name: 'prey', source, ...more } })
const versions = async (): Promise<string> => (await send('GET', `${MLFLOW}/model-versions/search`)).text

/** Refused in the words of `says`, without a version, and without a word about how the server is built. */
async function expectRefused(source: string, says: RegExp, more: object = {}): Promise<void> {
  for (const base of PREFIXES) {
    const told = await createVersion(base, source, more)
    expect([source, told.status, told.text]).toEqual([source, 400, expect.stringMatching(says)])
    expect(leaksIn(told, millrace.value)).toEqual([])
  }
}

describe('sources of model versions', () => {
  const local = /To use a local path as a model version/
  test.each([
    'file:///etc/passwd',
    'file:/etc/passwd',
    'FILE:///etc/passwd',
    'file://host/etc/passwd',
    'file://localhost/etc',
    '%66ile:///etc/passwd',
    '%2566ile:///etc/passwd',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    '../../etc/passwd',
    './models',
    'models',
    'C:\\Windows',
    'c:/Windows',
    '\\\\server\\share',
    '~/.ssh',
  ])(
    'CVE-2023-1177 (GHSA-xg73-94fp-g449), GHSA-wp72-7hj9-5265, CVE-2023-2356: a version is not made of the local path %s, with a run or without',
    async (source) => {
      await expectRefused(source, local)
      await expectRefused(source, local, { run_id: prey.runId })
      await expectRefused(source, local, { model_id: prey.modelId })
    },
  )

  const climbing = /Invalid (model version source|path)/
  test.each([
    'mlflow-artifacts:/1/../2',
    'mlflow-artifacts:/%2e%2e/x',
    'mlflow-artifacts:/%252e%252e/x',
    'mlflow-artifacts:/%25252e%25252e/x',
    'mlflow-artifacts:/..%2fx',
    'mlflow-artifacts:/..%5cx',
    'mlflow-artifacts:/x%00',
    'mlflow-artifacts:/x\u0000',
    'mlflow-artifacts:/x#../../etc',
    'mlflow-artifacts:/x?../../etc',
    'mlflow-artifacts:/x%0ay',
    'mlflow-artifacts://../x',
    'runs:/x/../../etc',
    'models:/prey/../1',
    's3://bucket/../other',
    's3://bucket/%2e%2e/other',
    's3://bucket/a?../../b',
    'http://host/a/%252e%252e/b',
    'https://host/a/..%2f..%2fetc',
    'ftp://host/../x',
    'hdfs://host/a/./b',
  ])('CVE-2023-2780, CVE-2025-11201 (GHSA-5cvj-7rg6-jggj): a version is not made of %j, which climbs', async (source) => {
    await expectRefused(source, climbing)
    await expectRefused(source, climbing, { run_id: prey.runId })
  })

  test('CVE-2025-11201: nor does the name of a model or a version lead anywhere', async () => {
    for (const base of PREFIXES) {
      for (const name of ['../x', '..%2fx', 'a/b', '/etc', 'a:b', '..', '.'])
        expect([name, (await send('POST', `${base}/registered-models/create`, { body: { name } })).status]).toEqual([name, 400])
      for (const query of ['name=..%2f..&version=1', 'name=prey&version=..%2f1', 'name=prey&version=1%00'])
        for (const path of ['/model-versions/get-artifact', `${base}/model-versions/get-download-uri`])
          expect([400, 404]).toContain((await send('GET', `${path}?${query}&path=x`)).status)
    }
  })

  test.each(['file:///etc/passwd', 'FILE:/etc', '%66ile:///etc', '/etc/passwd', '%2fetc%2fpasswd', '\\\\server\\x', 'C:\\x', '../x', 'a/%2e%2e/x', 'x\u0000'])(
    'CVE-2026-2614 (GHSA-42h5-h8qh-vv9v): a prompt is no way around that: its source %j is refused',
    async (source) => {
      const prompt = { tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] }
      await expectRefused(source, /Invalid prompt source/, prompt)
    },
  )

  test('CVE-2026-2614: a version that was made as a prompt serves no file, whatever its source says and whatever becomes of its tag', async () => {
    await send('POST', `${MLFLOW}/registered-models/create`, { body: { name: 'poem', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] } })
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
    const made = await send('POST', `${MLFLOW}/model-versions/create`, { body: { name: 'poem', source: 'dummy-source', tags } })
    expect(made.status, made.text).toBe(200)
    await send('DELETE', `${MLFLOW}/model-versions/delete-tag`, { body: { name: 'poem', version: '1', key: 'mlflow.prompt.is_prompt' } })
    for (const path of ['etc/passwd', 'x']) expect((await send('GET', `/model-versions/get-artifact?name=poem&version=1&path=${path}`)).status).toBe(404)
  })

  test('GHSA-mr9f-g8qf-4w4j: what a remote source or location names is never fetched', async () => {
    for (const scheme of ['http', 'https', 'ftp', 'mlflow-artifacts']) await createVersion(MLFLOW, `${scheme}://${inner}/model`)
    await createVersion(MLFLOW, `http://${inner}/model`, { run_id: prey.runId })
    expect(inside).toEqual([])
    expect(await versions()).not.toContain('secret of the inner network')
  })
})

describe('artifact locations of experiments', () => {
  const create = (base: string, artifact_location: string, name = `e ${base} ${artifact_location.slice(0, 400)}`.replaceAll(/\p{Cc}/gu, '')) =>
    send('POST', `${base}/experiments/create`, { body: { name, artifact_location } })

  test.each([
    'mlflow-artifacts:/x#../../etc',
    'mlflow-artifacts:/x#/../../../etc/',
    'mlflow-artifacts:/x%23../../etc',
    'mlflow-artifacts:/x%2523../../etc',
    'http://host/x#../../../../etc',
    'file:///x#../../etc',
    's3://bucket/x#/../other',
    '#../../etc',
    'mlflow-artifacts:/x;../../etc',
  ])('CVE-2023-6909, CVE-2024-1483, CVE-2024-3848: a location with a fragment is refused: %s', async (location) => {
    for (const base of PREFIXES) expect([location, (await create(base, location)).status]).toEqual([location, 400])
  })

  test.each([
    'mlflow-artifacts:/x?../../etc',
    'http://host/?/../../../etc',
    'http://host/x?a=../../etc',
    'http://host/x?%2e%2e/etc',
    'http://host/x?%252e%252e/etc',
    'http://host/x?a=%25252e%25252e%25252fetc',
    'http://host/x?a?../etc',
    'http://host/x?%zz&%252e%252e/etc',
    'http://host/x?%ff/%2e%2e%2fetc',
    's3://bucket/x?../other',
  ])('PR #10653: a location that climbs in its query is refused: %s', async (location) => {
    for (const base of PREFIXES) expect([location, (await create(base, location)).status]).toEqual([location, 400])
  })

  test.each([
    'mlflow-artifacts:/../x',
    'mlflow-artifacts:/%2e%2e/x',
    'mlflow-artifacts:/%252e%252e/x',
    'mlflow-artifacts:/..%5cx',
    'mlflow-artifacts:/x%00',
    'runs:/x',
  ])('CVE-2024-1558: a location that leaves the store is refused: %s', async (location) => {
    for (const base of PREFIXES) expect([location, (await create(base, location)).status]).toEqual([location, 400])
  })

  test('GHSA-mr9f-g8qf-4w4j (PR #25891): nothing is asked for, read or written at a location outside of the configured roots', async () => {
    const outcomes: string[] = []
    for (const location of [
      `http://${inner}/x`,
      `https://${inner}/x`,
      `s3://${inner}/x`,
      's3://bucket/x',
      'file:///etc',
      '/etc',
      'ftp://127.0.0.1/x',
      'gs://bucket/x',
    ]) {
      const made = await create(MLFLOW, location)
      if (made.status !== 200) continue
      const body = { experiment_id: textIn(made, 'experiment_id') }
      const runId = textIn(await send('POST', `${MLFLOW}/runs/create`, { body }), 'run', 'info', 'run_id')
      const asked = [
        await send('GET', `/get-artifact?run_id=${runId}&path=passwd`),
        await send('GET', `${MLFLOW}/artifacts/list?run_id=${runId}`),
        await send('POST', `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${runId}&path=x`, { raw: 'x' }),
        await send('POST', `${MLFLOW}/artifacts/presigned-upload-url`, { body: { run_id: runId, path: 'x' } }),
        await send('POST', `${MLFLOW}/artifacts/presigned-download-url`, { body: { run_id: runId, path: 'passwd' } }),
      ]
      outcomes.push(
        ...asked
          .filter(({ status, text }) => status < 400 || status > 499 || text.includes('root:'))
          .map(({ status, text }) => `${location}: ${status} ${text}`),
      )
    }
    expect(outcomes).toEqual([])
    expect(inside).toEqual([])
  })
})

describe('webhooks', () => {
  const events = [{ entity: 'MODEL_VERSION_TAG', action: 'SET' }]
  const create = (base: string, url: string) => send('POST', `${base}/webhooks`, { body: { name: 'hook', url, events } })

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '10.0.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '[fd00::1]',
    '[fe80::1]',
    '[64:ff9b::a9fe:a9fe]',
  ])('CVE-2026-2393 (GHSA-65h7-c7c4-mghx): a webhook does not call the inner address %s', async (host) => {
    for (const base of PREFIXES) {
      const told = await create(base, `https://${host}/latest/meta-data`)
      expect([told.status, told.text]).toEqual([400, expect.stringContaining('must not resolve to a non-public IP address')])
    }
  })

  test.each([
    'http://hooks.example/x',
    'ftp://hooks.example',
    'file:///etc/passwd',
    'gopher://hooks.example',
    'https:///x',
    'https://user:pass@hooks.example/',
    'https://hooks.example\\@127.0.0.1/',
    'https://127.0.0.1%00.example/',
  ])('CVE-2026-2393: nor anything but a plain https address: %s', async (url) => {
    resolved = [['93.184.215.14']]
    expect((await create(MLFLOW, url)).status).toBe(400)
  })

  test('#24179: a name counts by every address that it has', async () => {
    resolved = [['93.184.215.14', '10.0.0.7']]
    const told = await create(MLFLOW, 'https://mixed.example/')
    expect([told.status, told.text]).toEqual([400, expect.stringContaining("'mixed.example' resolves to 10.0.0.7")])
  })

  test('GHSA-7gwp-5pfp-969j: a name that points inside once the webhook is made is not called', async () => {
    resolved = [['93.184.215.14'], ['127.0.0.1']]
    const made = await create(MLFLOW, `https://rebinding.example:${inner.split(':')[1]}/`)
    const id = textIn(made, 'webhook', 'webhook_id')
    expect(made.status, made.text).toBe(200)
    const tried = await send('POST', `${MLFLOW}/webhooks/${id}/test`, { body: { event: events[0] } })
    expect([tried.status, tried.text]).toEqual([200, expect.stringMatching(/"success":false.*not a public address/)])
    expect((await send('PATCH', `${MLFLOW}/webhooks/${id}`, { body: { url: `https://${inner}/` } })).status).toBe(400)
    expect(inside).toEqual([])
  })
  test('GHSA-7gwp-5pfp-969j: a receiver that redirects is answered for itself, and nobody follows it inside', async () => {
    const receiver = await startReceiver()
    receiver.answer = (response) => response.writeHead(307, { location: `http://${inner}/latest/meta-data` }).end()
    outside = receiver.client()
    const id = textIn(await create(MLFLOW, receiver.url()), 'webhook', 'webhook_id')
    const tried = await send('POST', `${MLFLOW}/webhooks/${id}/test`, { body: { event: events[0] } })
    outside = careful
    expect([tried.status, tried.text]).toEqual([200, expect.stringContaining('"response_status":307')])
    expect(receiver.received).toHaveLength(1)
    expect(inside).toEqual([])
  })
})
