import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Started } from '@millrace/platform/component.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { leaksIn, makePrey, type Prey } from './artifact-vectors.fixture.ts'
import { type GuardedMillrace, type Send, startGuarded, type Told, textIn } from './guarded.fixture.ts'

const PREFIXES = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'] as const
const [MLFLOW] = PREFIXES
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts'

let millrace: Started<GuardedMillrace>
let send: Send
let prey: Prey

beforeAll(async () => {
  millrace = await startGuarded({ door: 'local' })
  send = millrace.value.send
  prey = await makePrey(send, 'prey')
  await send('POST', `${MLFLOW}/runs/set-tag`, { body: { run_id: prey.runId, key: 'long', value: 'a'.repeat(8000) } })
})
afterAll(() => millrace.stop())

afterEach(async () => {
  expect((await send('GET', `${MLFLOW}/runs/get?run_id=${prey.runId}`)).status, 'the next request is served').toBe(200)
})

const host = (): string => new URL(millrace.value.url).host

describe('browsers', () => {
  const read = `${MLFLOW}/experiments/get?experiment_id=0`
  const write = (headers: Record<string, string>) => send('POST', `${MLFLOW}/experiments/create`, { headers, body: { name: `by ${JSON.stringify(headers)}` } })

  test.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example', '169.254.169.254', ' ', 'localhost:1', '[::1]:1'])(
    'CVE-2025-14279: a page that made its own name %j point here neither reads nor writes',
    async (name) => {
      const told = await send('GET', read, { headers: { host: name } })
      expect([told.status, told.headers['access-control-allow-origin']]).toEqual([expect.toBeOneOf([400, 403, 421]), undefined])
      expect((await write({ host: name })).status).toBe(told.status)
      expect((await send('GET', `${ARTIFACTS}/${prey.root}/kept.txt`, { headers: { host: name } })).status).toBe(told.status)
    },
  )

  test('CVE-2025-14279: the names of this machine are answered, and health and version under any name', async () => {
    const port = host().split(':')[1]
    for (const name of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      expect((await send('GET', read, { headers: { host: name } })).status).toBe(200)
    for (const path of ['/health', '/version']) expect((await send('GET', path, { headers: { host: 'probe.example' } })).status).toBe(200)
  })

  test('a page of another origin does not write, whatever way it says so, and is told of no answer', async () => {
    const foreign = [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]
    for (const headers of foreign) expect([headers, (await write({ ...headers })).status]).toEqual([headers, 403])
    expect((await write({ origin: `http://${host()}` })).status).toBe(200)
    const form = { 'content-type': 'text/plain' }
    expect((await send('POST', `${MLFLOW}/experiments/create`, { raw: '{"name":"form"}', headers: form })).status).toBe(400)
    expect((await send('GET', read, { headers: { origin: 'https://evil.example' } })).headers).not.toHaveProperty('access-control-allow-origin')
  })

  test.each([
    'page.html',
    'page.svg',
    'page.xml',
    'page.js',
    'page.xhtml',
    'note.yaml',
    'note.md',
    'data.json',
    'MLmodel',
    'x.png',
    'sniff.txt',
    'q".html',
    'a;b.htm',
  ])('PR #21435: the file %s cannot run as a page: always an attachment, never sniffed, of a type that no browser runs', async (name) => {
    const script = '<html><script>alert(1)</script></html>'
    const at = `${prey.root}/${encodeURIComponent(name)}`
    expect((await send('PUT', `${ARTIFACTS}/${at}`, { raw: script, headers: { 'content-type': 'text/html' } })).status).toBe(200)
    const file = encodeURIComponent(name)
    const ways = [`${ARTIFACTS}/${at}`, `/ajax-api/2.0/mlflow-artifacts/artifacts/${at}`, `/get-artifact?run_id=${prey.runId}&path=${file}`]
    for (const way of ways) {
      const { status, headers, text } = await send('GET', way)
      expect([way, status, text]).toEqual([way, 200, script])
      expect(headers).toMatchObject({ 'content-disposition': expect.stringMatching(/^attachment; filename/), 'x-content-type-options': 'nosniff' })
      expect(headers['content-type']).not.toMatch(/html|svg|xml|javascript|ecmascript/)
      expect(headers['content-security-policy']).toMatch(/sandbox|default-src 'none'/)
    }
  })

  test('PR #21435: nor one of a logged model; and no answer may be framed by another page', async () => {
    const root = `${prey.experimentId}/models/${prey.modelId}/artifacts`
    await send('PUT', `${ARTIFACTS}/${root}/page.html`, { raw: '<script>alert(1)</script>' })
    for (const base of PREFIXES) {
      const { headers } = await send('GET', `${base}/logged-models/${prey.modelId}/artifacts/files?artifact_file_path=page.html`)
      expect(headers).toMatchObject({ 'content-disposition': expect.stringMatching(/^attachment/), 'content-type': 'application/octet-stream' })
    }
    for (const path of ['/', '/version', read, '/nothing', `${ARTIFACTS}/${root}/page.html`])
      expect((await send('GET', path)).headers).toMatchObject({
        'x-frame-options': expect.stringMatching(/^(DENY|SAMEORIGIN)$/),
        'x-content-type-options': 'nosniff',
      })
  })
})

describe('what is not there', () => {
  const absent = async (method: string, path: string): Promise<void> => {
    const told = await send(method, path, { body: [{ query: '{ mlflowGetRun { run { info { runId } } } }' }] })
    expect([path, told.status, told.text]).toEqual([path, 404, expect.stringContaining('ENDPOINT_NOT_FOUND')])
  }

  test.each(['/graphql', '/ajax-api/graphql', '/api/graphql', '/api/2.0/mlflow/graphql', '/ajax-api/2.0/mlflow/graphql'])(
    'CVE-2025-0453: there is no GraphQL to send batches to: %s answers 404 ENDPOINT_NOT_FOUND',
    async (path) => {
      await absent('POST', path)
      await absent('GET', path)
    },
  )

  test.each([
    '/api/2.0/mlflow/gateway-proxy',
    '/ajax-api/2.0/mlflow/gateway-proxy',
    '/ajax-api/3.0/mlflow/gateway/endpoints',
    '/gateway/chat/invocations',
    '/api/2.0/endpoints/',
    '/api/2.0/gateway/routes/',
    '/v1/traces',
  ])('GHSA-wxj7-3fx5-pp9m, GHSA-h7x2-h6g9-p789: there is no LLM gateway to call others with: %s answers 404 ENDPOINT_NOT_FOUND', async (path) => {
    await absent('POST', path)
    await absent('GET', path)
  })
})

/** Refused as the caller's fault, without a word about how the server is built. */
function expectRefusal(told: Told, status = 400): void {
  expect([told.status, told.text.slice(0, 300)]).toEqual([status, expect.stringMatching(/error_code|"detail"|"error"/)])
  expect(leaksIn(told, millrace.value)).toEqual([])
}

describe('bodies', () => {
  const create = (raw: string | Uint8Array, headers: Record<string, string> = {}) =>
    send('POST', `${MLFLOW}/experiments/create`, { raw, headers: { 'content-type': 'application/json', ...headers } })

  test.each<[what: string, body: string]>([
    ['100,000 brackets', '['.repeat(100_000)],
    ['5,000 levels of lists', `{"name":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['5,000 levels of objects', `{"name":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
    ['110,000 keys', `{"name":"x","o":[{${Array.from({ length: 110_000 }, (_, index) => `"${index.toString(36)}":1`).join(',')}}]}`],
    ['__proto__', '{"name":"x","__proto__":{"admin":true}}'],
    ['__proto__ further inside', '{"name":"x","tags":[{"key":"a","value":"b","__proto__":{}}]}'],
    ['an integer that loses digits', '{"name":"x","n":12345678901234567890}'],
    ['a number of 100,000 digits', `{"name":"x","n":${'9'.repeat(100_000)}}`],
    ['1e999 where a number counts', '{"name":1e999}'],
    ['NUL in a text', '{"name":"a\\u0000b"}'],
    ['a text that ends early', '{"name":"x'],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify({ name: 'x' })))],
  ])('JSON with %s is refused', async (_what, body) => expectRefusal(await create(body)))

  test('of a key that comes twice the last one counts, for the check as for what is kept', async () => {
    expectRefusal(await create('{"name":"twice","artifact_location":"mlflow-artifacts:/ok","artifact_location":"mlflow-artifacts:/../x"}'))
    const kept = await create('{"name":"twice","artifact_location":"mlflow-artifacts:/../x","artifact_location":"mlflow-artifacts:/ok"}')
    const read = await send('GET', `${MLFLOW}/experiments/get?experiment_id=${textIn(kept, 'experiment_id')}`)
    expect(textIn(read, 'experiment', 'artifact_location')).toBe('mlflow-artifacts:/ok')
  })

  test('a body that is too large is refused before it has arrived, and an upload of the browser ends at 10 MiB', async () => {
    for (const size of [1_100_000, 3_000_000, 5_000_000]) expectRefusal(await create(`{"name":"${'x'.repeat(size)}"}`), 413)
    const announced = { 'content-type': 'application/json', 'content-length': '99999999999' }
    const socket = connect(Number(new URL(millrace.value.url).port), '127.0.0.1')
    socket.write(
      `POST ${MLFLOW}/experiments/create HTTP/1.1\r\nHost: ${host()}\r\n${Object.entries(announced)
        .map((pair) => pair.join(': '))
        .join('\r\n')}\r\n\r\n{`,
    )
    const [first] = await once(socket, 'data')
    expect(String(first)).toMatch(/^HTTP\/1.1 413/)
    socket.destroy()
    const large = await send('POST', `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${prey.runId}&path=large`, { raw: Buffer.alloc(10 * 1024 * 1024 + 1) })
    expectRefusal(large)
  })

  test('zip bombs: a compressed body is refused, not unpacked, on JSON routes and uploads alike', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip']) {
      expectRefusal(await create(bomb, { 'content-encoding': encoding }), 415)
      expectRefusal(await send('PUT', `${ARTIFACTS}/${prey.root}/bomb`, { raw: bomb, headers: { 'content-encoding': encoding } }), 415)
      const uploaded = await send('POST', `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${prey.runId}&path=bomb`, {
        raw: bomb,
        headers: { 'content-encoding': encoding },
      })
      expectRefusal(uploaded, 415)
    }
    expect((await send('GET', `${ARTIFACTS}/${prey.root}/bomb`)).status).toBe(404)
  })

  test('zip slip: an archive stays the one file that was sent: nothing ever unpacks one', async () => {
    // A zip with one entry, `../../evil.txt`, and a size that it does not have.
    const zip = Buffer.from(
      `504b0304140000000000${'00'.repeat(12)}ffffffff0e000000${Buffer.from('../../evil.txt').toString('hex')}504b0506${'00'.repeat(18)}`,
      'hex',
    )
    for (const name of ['model.zip', 'model.tar.gz', 'model.keras', 'model.pt', 'x.npz']) {
      const at = `${prey.root}/packed/${name}`
      expect((await send('PUT', `${ARTIFACTS}/${at}`, { raw: zip })).status).toBe(200)
      expect((await send('GET', `${ARTIFACTS}/${at}`)).headers['content-length']).toBe(String(zip.length))
    }
    const listed = (await send('GET', `${MLFLOW}/artifacts/list?run_id=${prey.runId}&path=packed`)).text
    expect([...listed.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path ?? '').sort((a, b) => a.localeCompare(b))).toEqual(
      ['model.keras', 'model.pt', 'model.tar.gz', 'model.zip', 'x.npz'].map((name) => `packed/${name}`),
    )
    expect((await send('GET', `${MLFLOW}/artifacts/list?run_id=${prey.runId}`)).text).not.toContain('evil')
  })

  test('header floods are refused: too many bytes, a header twice, a length and a chunked body at once', async () => {
    const raw = async (text: string): Promise<string> => {
      const socket = connect(Number(new URL(millrace.value.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(text)
      const chunks: Buffer[] = []
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      await once(socket, 'close')
      return Buffer.concat(chunks).toString().slice(0, 12)
    }
    const start = `GET /version HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n`
    expect(await raw(`${start}X-Flood: ${'x'.repeat(40_000)}\r\n\r\n`)).toBe('HTTP/1.1 431')
    expect(await raw(`${start}${Array.from({ length: 3000 }, (_, index) => `X-${index}: y\r\n`).join('')}\r\n`)).toBe('HTTP/1.1 431')
    expect(await raw(`${start}Host: evil.example\r\n\r\n`)).toBe('HTTP/1.1 400')
    expect(await raw(`POST ${MLFLOW}/experiments/create HTTP/1.1\r\nHost: ${host()}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)).toBe(
      'HTTP/1.1 400',
    )
  })
})

describe('searches', () => {
  const search = (body: object, what = 'runs') =>
    send('POST', `${MLFLOW}/${what}/search`, { body: { experiment_ids: [prey.experimentId], max_results: 10, ...body } })
  const conditions = (count: number, one = "tags.long = 'x'"): string => Array.from({ length: count }, () => one).join(' AND ')

  test.each<[what: string, filter: string]>([
    ['600,000 characters', `tags.a = '${'x'.repeat(600_000)}'`],
    ['10,000 comparisons', conditions(10_000)],
    ['60,000 parts', `run_id IN (${Array.from({ length: 60_000 }, () => "'a'").join(',')})`],
    ['100,000 brackets', '('.repeat(100_000)],
    ['100,000 quotes', "'".repeat(100_001)],
    ['another statement', "tags.a = 'x'; drop table run; --"],
    ['a statement in the key', "tags.`a' or 1=1 --` > 'x'"],
  ])('filter bombs: one of %s is refused in words', async (_what, filter) => {
    for (const what of ['runs', 'experiments', 'logged-models']) expectRefusal(await search({ filter }, what))
  })

  test('filter bombs: patterns that catch others out cost what their length says', async () => {
    const patterns = ['%a'.repeat(2000), '%a_%'.repeat(1000), '_%'.repeat(2000), '%aaaaaaaab'.repeat(400)].map((pattern) => `${pattern}b`)
    for (const pattern of patterns) {
      const told = await search({ filter: conditions(100, `tags.long LIKE '${pattern}'`) })
      expect([told.status, told.text]).toEqual([200, '{}'])
    }
  })

  test('order_by bombs: more clauses than anybody orders by are refused', async () => {
    const clauses = Array.from({ length: 1000 }, (_, index) => `tags.k${index}`)
    expectRefusal(await search({ order_by: clauses }))
    expectRefusal(await search({ order_by: clauses.slice(0, 60) }))
    expectRefusal(await search({ order_by: clauses }, 'experiments'))
    expectRefusal(await search({ order_by: clauses.slice(0, 60).map((name) => ({ field_name: `metrics.${name}` })) }, 'logged-models'))
    expect((await search({ order_by: clauses.slice(0, 20) })).status).toBe(200)
  })

  test('page tokens that nobody gave out are refused', async () => {
    const forged = [{ key: [0, "x' or 1=1", 0, 'a'] }, { key: [0, 1] }, { key: [0, 1e300, 0, 'a\u0000'] }, { offset: 5 }, []].map((token) =>
      Buffer.from(JSON.stringify(token)).toString('base64url'),
    )
    for (const page_token of [...forged, 'x', '../../etc/passwd', '%00'])
      for (const what of ['runs', 'experiments', 'logged-models']) expectRefusal(await search({ page_token }, what))
  })

  test('no message of the database, no statement and no folder is in any answer', async () => {
    const hostile = ["'", '"', '\\', "x' or '1'='1", '$1', 'select 1', '\u202e', '%s%n', '../../etc']
    const told = await Promise.all(
      hostile.flatMap((text) => {
        const coded = encodeURIComponent(text)
        return [
          send('GET', `${MLFLOW}/runs/get?run_id=${coded}`),
          send('GET', `${MLFLOW}/experiments/get-by-name?experiment_name=${coded}`),
          send('GET', `${MLFLOW}/registered-models/search?filter=${coded}&order_by=${coded}`),
          send('GET', `${MLFLOW}/model-versions/get?name=${coded}&version=${coded}`),
          send('GET', `/api/v1/models/${coded}`),
          search({ filter: text, order_by: [text] }),
        ]
      }),
    )
    expect(told.filter(({ status }) => status < 400 || status > 499).map(({ status, text }) => `${status} ${text}`)).toEqual([])
    expect(told.flatMap((answer) => leaksIn(answer, millrace.value)).filter((sign) => !['select ', '$1'].includes(sign))).toEqual([])
  })
})

test('after all of that nothing that was logged asks for a person', async () => {
  const lines = (await readFile(millrace.value.directory.log, 'utf8')).split('\n')
  expect(lines.filter((line) => line.includes('"level":50'))).toEqual([])
})
