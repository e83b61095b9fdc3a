import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

/** The gateway looks at paths too: the service has to hold without it. */
let tracking: Awaited<ReturnType<typeof startTracking>>
let running: RunningTracking
let model_id = ''
let run_id = ''

beforeAll(async () => {
  tracking = await startTracking()
  running = tracking.value
  run_id = (await running.call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  model_id = (await running.call('POST', 'logged-models', { body: { experiment_id: '0', name: 'm' } })).text('model', 'info', 'model_id')
  await running.call('PUT', '/api/2.0/mlflow-artifacts/artifacts/kept.txt', { raw: Buffer.from('kept') })
})
afterAll(() => tracking.stop())

/** Byte by byte as it is written. */
async function send(method: string, path: string, body: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(running.url)
  const headers = { authorization: `Bearer ${await running.token()}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() })
    })
    sent.once('error', reject).end(body)
  })
}

const multipart = JSON.stringify({ path: 'x', upload_id: 'u', num_parts: 1, parts: [] })

test.each([
  '..',
  '../kept.txt',
  'a/../../kept.txt',
  '%2e%2e/x',
  '%252e%252e/x',
  '%25252e%25252e/x',
  '..%2fx',
  '..%5cx',
  'x%23y',
  'file:/x',
  '%66ile:%2fx',
  'x%00',
  'x%0a',
  '%2fetc',
  'C:/x',
  'c%3a%5cx',
])('CVE-2023-6831, CVE-2023-6975, CVE-2024-1560, CVE-2024-1594, CVE-2026-2651: the service itself refuses %s by every way', async (path) => {
  for (const prefix of ['/api/2.0', '/ajax-api/2.0']) {
    const base = `${prefix}/mlflow-artifacts`
    const answers = await Promise.all([
      ...['GET', 'PUT', 'DELETE'].map((method) => send(method, `${base}/artifacts/${path}`, method === 'PUT' ? 'x' : '')),
      ...['create', 'complete', 'abort'].map((call) => send('POST', `${base}/mpu/${call}/${path}`, multipart)),
      send('GET', `${base}/artifacts?path=${path}`, ''),
      send('GET', `${base}/presigned/${path}`, ''),
      send('GET', `/get-artifact?run_id=${run_id}&path=${path}`, ''),
      send('GET', `${prefix}/mlflow/artifacts/list?run_id=${run_id}&path=${path}`, ''),
      send('GET', `${prefix}/mlflow/logged-models/${model_id}/artifacts/files?artifact_file_path=${path}`, ''),
      send('POST', `${prefix}/mlflow/upload-artifact?run_uuid=${run_id}&path=${path}`, 'x'),
    ])
    for (const answer of answers) expect(answer).toEqual({ status: 400, text: expect.stringContaining('Invalid path') })
  }
  expect((await running.call('GET', '/api/2.0/mlflow-artifacts/artifacts/kept.txt')).bytes.toString()).toBe('kept')
})

test('an id that is a path finds nothing', async () => {
  for (const id of ['%2e%2e', '..%2f..', 'm-1%2f..%2f..', '%00', '%252e%252e']) {
    expect((await send('GET', `/api/2.0/mlflow/logged-models/${id}`, '')).status).toBeOneOf([400, 404])
    expect((await send('GET', `/api/2.0/mlflow/logged-models/${id}/artifacts/files?artifact_file_path=x`, '')).status).toBeOneOf([400, 404])
    expect((await send('GET', `/get-artifact?run_id=${id}&path=x`, '')).status).toBeOneOf([400, 404])
  }
})
