import { expect, test } from 'vitest'
import { isAdministrative } from './admin-call.ts'
import { Bulkhead } from './bulkhead.ts'
import { answerCors } from './cors.ts'
import { modelOf } from './model-of-path.ts'
import { originOf, readPodAddress } from './pod-address.ts'
import { RetryBudget } from './retry-budget.ts'
import { findTarget } from './route-table.ts'

test('retries are a share of requests, with a few per second in any case', () => {
  const budget = new RetryBudget({ percent: 20, minPerSecond: 1 }, 0)
  const spendAll = (nowMs: number): number => {
    let spent = 0
    while (budget.spend(nowMs)) spent += 1
    return spent
  }
  expect(spendAll(0)).toBe(10)
  for (let index = 0; index < 100; index++) budget.earn()
  expect(spendAll(0)).toBeGreaterThanOrEqual(19)
  expect(spendAll(3000)).toBe(3)
  for (let index = 0; index < 1_000_000; index++) budget.earn()
  expect(spendAll(3000)).toBeLessThanOrEqual(210)
})

test('without any allowance nothing is sent twice', () => {
  expect(new RetryBudget({ percent: 0, minPerSecond: 0 }, 0).spend(1e9)).toBe(false)
})

test('a compartment that is full leaves the others alone, and an empty one leaves nothing behind', () => {
  const bulkhead = new Bulkhead(2)
  expect([bulkhead.enter('slow'), bulkhead.enter('slow'), bulkhead.enter('slow'), bulkhead.enter('other')]).toEqual([true, true, false, true])
  bulkhead.leave('slow')
  expect(bulkhead.enter('slow')).toBe(true)
  for (const compartment of ['slow', 'slow', 'other', 'never']) bulkhead.leave(compartment)
  expect(bulkhead.size).toBe(0)
})

test.each([
  ['/v2/models/fish/infer', '', 'fish'],
  ['/v2/models/fish/versions/3/infer', '', 'fish'],
  ['/v1/models/fish:predict', '', 'fish'],
  ['/v1/models/fish/versions/2:predict', '', 'fish'],
  ['/models/fish/invocations', '', 'fish'],
  ['/v2/repository/models/fish/load', '', 'fish'],
  ['/v2/models/a%20b/infer', '', 'a b'],
  ['/v2/models/%zz/infer', '', '%zz'],
  ['/predict', '?model=fish&version=2', 'fish'],
  ['/predict', '', ''],
  ['/invocations', '', ''],
])('%s%s is for the model "%s"', (path, query, model) => {
  expect(modelOf(path, query)).toBe(model)
})

test('addresses are read as they are meant, and nothing else is taken for one', () => {
  expect(readPodAddress('http://10.0.0.1:8080/')).toEqual({ kind: 'static', url: 'http://10.0.0.1:8080' })
  expect(readPodAddress('dns+http://pods.millrace.svc:8080')).toEqual({ kind: 'address', scheme: 'http', name: 'pods.millrace.svc', port: 8080 })
  expect(readPodAddress('srv+https://_http._tcp.pods.millrace.svc')).toEqual({ kind: 'service', scheme: 'https', name: '_http._tcp.pods.millrace.svc' })
  for (const text of ['ftp://x', 'dns+http://x', 'dns+http://x:0', 'dns+http://x:70000', 'srv+http://x:80', 'pods:8080', ''])
    expect(readPodAddress(text)).toBeNull()
  expect([originOf('http', '10.0.0.1', 80), originOf('https', 'fd00::1', 443)]).toEqual(['http://10.0.0.1:80', 'https://[fd00::1]:443'])
})

const question = { method: 'POST', origin: 'https://app.example', askedMethod: undefined, askedHeaders: undefined }

test('only pages of named origins are told that they may, and never with the credentials of the browser', () => {
  expect(answerCors(question, [])).toBeNull()
  expect(answerCors({ ...question, origin: 'null' }, ['https://app.example'])).toBeNull()
  expect(answerCors({ ...question, origin: 'https://app.example.evil' }, ['https://app.example'])).toBeNull()
  const answer = answerCors(question, ['https://app.example'])
  expect(answer).toMatchObject({ isPreflight: false, headers: { 'access-control-allow-origin': 'https://app.example', vary: 'Origin' } })
  expect(answer?.headers).not.toHaveProperty('access-control-allow-credentials')
})

test('a preflight is answered with what may be sent; header names that are none are not repeated', () => {
  const preflight = { ...question, method: 'OPTIONS', askedMethod: 'POST', askedHeaders: 'Authorization, Content-Type' }
  expect(answerCors(preflight, ['https://app.example'])).toMatchObject({
    isPreflight: true,
    headers: { 'access-control-allow-headers': 'authorization, content-type' },
  })
  expect(answerCors({ ...preflight, askedHeaders: 'a\r\nb: c' }, ['https://app.example'])?.headers).not.toHaveProperty('access-control-allow-headers')
})

test.each([
  ['POST', '/api/2.0/mlflow/model-versions/transition-stage', true],
  ['POST', '/api/2.0/mlflow/registered-models/search', false],
  ['POST', '/api/2.0/mlflow/runs/log-batch', false],
  ['POST', '/api/2.0/mlflow/runs/delete', true],
  ['POST', '/api/v1/keys', true],
  ['DELETE', '/api/v1/keys/abc', true],
  ['GET', '/api/v1/keys', false],
  ['POST', '/v2/models/fish/infer', false],
  ['POST', '/v2/repository/models/fish/load', true],
  ['POST', '/v2/repository/index', false],
  ['POST', '/api/v1/labels', false],
  ['POST', '/api/v1/promotions/decisions', true],
])('%s %s is administrative: %s', (method, path, expected) => {
  expect(isAdministrative(method, path, findTarget(path))).toBe(expected)
})
