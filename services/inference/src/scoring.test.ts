import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { echoModel } from './testing/echo-model.ts'
import { startServedPod } from './testing/served-pod.ts'
import { tableModel } from './testing/table-model.ts'
import { scaleModel } from './testing/test-model.ts'
import { createWorld, startTestPod } from './testing/test-pod.ts'

const setUp = (config = {}) => startServedPod({ table: tableModel() }, config)
const row = { age: 1, income: 2, debt: 3 }
const answer = { score: 321, parts: [1, 20, 300] }

test('a table in any form is answered by records, a tensor by output name', async () => {
  const { post } = await setUp()
  const cases: [name: string, body: unknown, predictions: unknown, type?: string][] = [
    ['split', { dataframe_split: { index: [0], columns: ['income', 'age', 'debt'], data: [[2, 1, 3]] } }, [answer]],
    ['split without names', { dataframe_split: { data: [[1, 2, 3]] } }, [answer]],
    ['records, other order, more columns', { dataframe_records: [{ debt: 3, name: 'x', income: 2, age: 1 }] }, [answer]],
    ['CSV', 'debt,"income",age\n3,2,1\n\n3,2,1\n', [answer, answer], 'text/csv'],
    ['CSV with a missing value', 'age,income,debt\n1,2,NA\n', [{ score: null, parts: [1, 20, null] }], 'text/csv; charset=utf-8'],
    ['an optional column left out', { dataframe_records: [{ age: 1, income: 2 }] }, [{ score: null, parts: [1, 20, null] }]],
    ['instances', { instances: [[1, 2, 3]] }, { score: [[321]], parts: [[1, 20, 300]] }],
    ['instances of columns', { instances: [row] }, [answer]],
    ['inputs', { inputs: [[1, 2, 3]] }, { score: [[321]], parts: [[1, 20, 300]] }],
    ['inputs by name', { inputs: { input: [[1, 2, 3]] } }, { score: [[321]], parts: [[1, 20, 300]] }],
    ['inputs as columns', { inputs: { age: [1], income: [2], debt: [3] } }, [answer]],
    ['empty params', { inputs: [[1, 2, 3]], params: {} }, { score: [[321]], parts: [[1, 20, 300]] }],
  ]
  for (const [name, body, predictions, type = 'application/json'] of cases) {
    const { status, body: answered, headers } = await post('/invocations', body, { 'content-type': type })
    expect([name, status, answered]).toEqual([name, 200, { predictions }])
    expect(headers.get('x-millrace-model-version')).toBe('1')
  }
})

test('every bad scoring request is refused in the words of the scoring server, without its values', async () => {
  const { post } = await setUp({ INFERENCE_MAX_REQUEST_ROWS: 3, INFERENCE_MAX_BODY_BYTES: 20_000 })
  const records = (value: unknown) => ({ dataframe_records: [value] })
  const cases: [name: string, body: unknown, status: number, says: string, type?: string][] = [
    ['a bare list', [[1, 2, 3]], 400, 'not an object'],
    ['no form', { data: [] }, 400, 'none of the forms'],
    ['two forms', { inputs: [[1, 2, 3]], instances: [[1, 2, 3]] }, 400, 'instances and inputs'],
    ['a chat', { messages: [] }, 400, 'language models'],
    ['params', { inputs: [[1, 2, 3]], params: { secret: 'hush' } }, 400, 'params'],
    ['a signature name', { inputs: [[1, 2, 3]], signature_name: 'hush' }, 400, 'signature_name'],
    ['a missing column', records({ age: 1, debt: 2 }), 400, "'income' is missing"],
    ['text for a number', records({ ...row, age: 'hush' }), 400, "row 0 of the column 'age'"],
    ['a boolean for a number', records({ ...row, age: true }), 400, "row 0 of the column 'age'"],
    ['a number beyond the type', records({ ...row, age: 1e300 }), 400, "row 0 of the column 'age'"],
    ['no rows', { dataframe_records: [] }, 400, 'no rows'],
    ['ragged rows', { dataframe_split: { columns: ['age', 'income', 'debt'], data: [[1, 2, 3], [1]] } }, 400, 'Row 1'],
    ['the same name twice', { dataframe_split: { columns: ['age', 'income', 'age'], data: [[1, 2, 3]] } }, 400, 'same name'],
    ['too few columns', { dataframe_split: { data: [[1, 2]] } }, 400, 'Expected 3 features, got 2'],
    ['ragged CSV', 'age,income,debt\n1,2\n', 400, 'Row 1', 'text/csv'],
    ['open CSV', 'age,income,debt\n"1,2,3\n', 400, 'quoted', 'text/csv'],
    ['empty CSV', '', 400, 'empty', 'text/csv'],
    ['text in CSV', 'age,income,debt\nhush,2,3\n', 400, "row 0 of the column 'age'", 'text/csv'],
    ['another content type', '{}', 415, 'content type', 'text/plain'],
    ['another character set', '{}', 415, 'parameter', 'application/json; charset=latin1'],
    ['another parameter', '{}', 415, 'parameter', 'application/json; hush=1'],
    [
      'too many rows',
      {
        instances: [
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3],
        ],
      },
      413,
      '4 rows',
    ],
    ['too many bytes', ' '.repeat(30_000), 413, '20000'],
    ['broken JSON', '{"inputs": [', 400, 'position'],
  ]
  for (const [name, body, status, says, type = 'application/json'] of cases) {
    const { status: got, body: refusal, text } = await post('/invocations', body, { 'content-type': type })
    expect([name, got, refusal]).toEqual([name, status, { error_code: 'BAD_REQUEST', message: expect.stringContaining(says) }])
    expect([name, text.includes('hush')]).toEqual([name, false])
  }
})

test('what is not there, not allowed or not clear has its own code', async () => {
  const { call, post } = await startServedPod({ table: tableModel(), scale: scaleModel(3) })
  const codeOf = async (path: string, method = 'POST') => {
    const { status, body } = method === 'POST' ? await post(path, { inputs: [[1, 2, 3]] }) : await call(path)
    return [status, Object(body).error_code]
  }
  expect(await codeOf('/invocations')).toEqual([400, 'BAD_REQUEST'])
  expect(await codeOf('/models/table/invocations')).toEqual([200, undefined])
  expect(await codeOf('/models/table/versions/1/invocations')).toEqual([200, undefined])
  expect(await codeOf('/models/table/versions/production/invocations')).toEqual([200, undefined])
  expect(await codeOf('/models/table/versions/2/invocations')).toEqual([404, 'RESOURCE_DOES_NOT_EXIST'])
  expect(await codeOf('/models/none/invocations')).toEqual([404, 'RESOURCE_DOES_NOT_EXIST'])
  expect(await codeOf('/models/table/nothing')).toEqual([404, 'ENDPOINT_NOT_FOUND'])
  expect(await codeOf('/invocations', 'GET')).toEqual([405, 'BAD_REQUEST'])
  expect([(await call('/ping')).status, (await call('/ping')).text]).toEqual([200, '\n'])
  expect((await call('/version')).text).toMatch(/^\d+\.\d+\.\d+$/)
  const empty = await startTestPod(await createWorld())
  expect((await empty.call('/ping')).status).toBe(404)
  expect((await empty.call('/health')).status).toBe(200)
})

test('integers have no missing values, booleans and text are read from CSV, binary columns are base64', async () => {
  const { post } = await startServedPod({ echo: echoModel(['INT64', 'BOOL', 'BYTES']) })
  const inputs = { IN_INT64: [[1, '9007199254740993']], IN_BOOL: [[true, false]], IN_BYTES: [['a', 'é']] }
  expect((await post('/invocations', { inputs })).text).toBe(
    '{"predictions":{"OUT_INT64":[[1,9007199254740993]],"OUT_BOOL":[[true,false]],"OUT_BYTES":[["a","é"]]}}',
  )
  expect((await post('/invocations', { inputs: { ...inputs, IN_INT64: [[1, null]] } })).body).toMatchObject({ message: expect.stringContaining('integer') })
  expect((await post('/invocations', { inputs: { ...inputs, IN_INT64: [[1, 1.5]] } })).status).toBe(400)
})

const LINES = { 'content-type': 'application/jsonlines' }

test('JSON lines are answered line by line, however many there are', async () => {
  const { post } = await setUp({ INFERENCE_MAX_REQUEST_ROWS: 64, INFERENCE_MAX_BODY_BYTES: 1024 })
  const lines = Array.from({ length: 5000 }, (_, index) => (index % 100 === 7 ? '\r' : JSON.stringify([index, 0, 0]))).join('\n')
  const answered = await post('/invocations', lines, LINES)
  expect([answered.status, answered.headers.get('content-type'), answered.headers.get('x-millrace-arm')]).toEqual([200, 'application/jsonlines', 'production'])
  const rows = answered.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows).toHaveLength(4950)
  expect(rows.at(-1)).toEqual({ score: 4999, parts: [4999, 0, 0] })
})

/** What came over the wire before the connection ended, and whether that was the whole answer. */
function untilClosed(url: string, token: string, body: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; complete: boolean; text: string }>()
  const call = httpRequest(url, { method: 'POST', headers: { ...LINES, authorization: `Bearer ${token}` } }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
    response.on('close', () => resolve({ status: response.statusCode, complete: response.complete, text: Buffer.concat(chunks).toString() }))
  })
  call.on('error', reject).end(body)
  return promise
}

test('a first line that is wrong is refused; a later one ends the answer with what was wrong, and breaks it off', async () => {
  const { pod, post } = await setUp()
  expect((await post('/invocations', 'nonsense', LINES)).status).toBe(400)
  expect((await post('/invocations', '\n\n', LINES)).body).toMatchObject({ message: expect.stringContaining('no lines') })
  const refused = await post('/invocations', '[1, 2]\n', LINES)
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('Expected 3 features, got 2')])
  const lines = [...Array.from({ length: 200 }, () => '[1,2,3]'), '[1,2]', '[1,2,3]']
  const { status, complete, text } = await untilClosed(`${pod.url}/invocations`, await pod.token(), lines.join('\n'))
  expect([status, complete]).toEqual([200, false])
  const answered = text.trim().split('\n')
  expect(answered).toHaveLength(193)
  expect(JSON.parse(answered.at(-1) ?? '')).toEqual({ error_code: 'BAD_REQUEST', message: expect.stringContaining('rows from 192 on') })
  expect((await post('/invocations', 'x'.repeat(11 * 1024 ** 2), LINES)).status).toBe(413)
  expect((await post('/invocations', '[1,2,3]', LINES)).status).toBe(200)
})
