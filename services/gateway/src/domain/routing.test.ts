import { topicNames } from '@millrace/contracts/events/topics.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventHistory, type LiveEvent } from './event-history.ts'
import { isLoopback, localNames, refuseCrossSite, refuseLocal } from './local-access.ts'
import { canonicalPath, findTarget } from './route-table.ts'
import { findPathProblem } from './unsafe-path.ts'

test.each([
  ['/predict', 'inference', 'predict'],
  ['/v2/models/fish/infer', 'inference', 'predict'],
  ['/v1/models/fish:predict', 'inference', 'predict'],
  ['/v2/health/ready', 'inference', 'predict'],
  ['/v2/repository/index', 'inference', 'predict'],
  ['/v1/models', 'inference', 'predict'],
  ['/v1/models/fish/labels/canary:predict', 'inference', 'predict'],
  ['/invocations', 'inference', 'predict'],
  ['/models/fish/versions/3/invocations', 'inference', 'predict'],
  ['/ping', 'inference', 'predict'],
  ['/api/v1/serving-state', 'registry', 'api'],
  ['/api/2.0/mlflow/runs/search', 'tracking', 'api'],
  ['/api/2.0/mlflow/experiments/create', 'tracking', 'api'],
  ['/api/2.0/mlflow/logged-models/m-1', 'tracking', 'api'],
  ['/api/3.0/mlflow/server-info', 'tracking', 'api'],
  ['/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/model/model.onnx', 'tracking', 'artifact'],
  ['/api/2.0/mlflow-artifacts/uploads/0123/1', 'tracking', 'artifact'],
  ['/get-artifact', 'tracking', 'artifact'],
  ['/api/v1/runs/compare', 'tracking', 'api'],
  ['/api/v1/experiments/1/best', 'tracking', 'api'],
  ['/version', 'tracking', 'api'],
  ['/api/2.0/mlflow/registered-models/alias', 'registry', 'api'],
  ['/api/2.0/mlflow/model-versions/transition-stage', 'registry', 'api'],
  ['/api/2.0/mlflow/webhooks', 'registry', 'api'],
  ['/api/2.0/mlflow/webhooks/7/test', 'registry', 'api'],
  ['/api/v1/webhooks/7/deliveries', 'registry', 'api'],
  ['/api/v1/models/fish/rollout', 'registry', 'api'],
  ['/api/v1/training/jobs', 'trainer', 'api'],
  ['/api/v1/promotions/decisions', 'promoter', 'api'],
  ['/api/v1/drift/models/fish', 'drift-monitor', 'api'],
  ['/api/v1/labels', 'drift-monitor', 'api'],
])('%s belongs to %s as %s traffic', (path, upstream, traffic) => {
  expect(findTarget(path)).toMatchObject({ upstream, traffic })
})

test.each(['/', '/predictions', '/api/v1/modelsx', '/api/v1', '/API/v1/models', '//predict', '/api/v1/artifacts/manifests', '/x/predict', ''])(
  '%s belongs to no service',
  (path) => {
    expect(findTarget(path)).toBeNull()
  },
)

test('health of the prediction protocols is told to anybody, predictions are not', () => {
  expect(['/ping', '/v2/health/live', '/v2/models'].map((path) => findTarget(path)?.open)).toEqual([true, true, false])
})

test('a name of a property that every object has is not a route', () => {
  expect(findTarget('constructor')).toBeNull()
  expect(findTarget('/__proto__')).toBeNull()
})

test('the browser spelling of a path is the same path', () => {
  expect(canonicalPath('/ajax-api/2.0/mlflow/runs/search')).toBe('/api/2.0/mlflow/runs/search')
  expect(canonicalPath('/ajax-apix/2.0')).toBe('/ajax-apix/2.0')
})

test('a `..` segment is found under any number of encodings', () => {
  const dots = fc.constantFrom('..', '%2e%2e', '.%2E', '%2e.')
  const encodeAgain = (text: string, times: number): string => (times === 0 ? text : encodeAgain(text.replaceAll('%', '%25'), times - 1))
  fc.assert(fc.property(dots, fc.nat(12), (text, times) => findPathProblem(`/api/v1/models/${encodeAgain(text, times)}/x`) !== null))
})

test('names with dots, escapes and other scripts are fit', () => {
  for (const path of [
    '/api/v1/models/fish..v2',
    '/api/v1/models/a%2Fb',
    '/api/v1/models/%D1%89%D1%83%D0%BA%D0%B0',
    '/api/v1/models/100%25',
    '/v2/models/..fish',
  ]) {
    expect(findPathProblem(path)).toBeNull()
  }
})

test('any path that encodeURIComponent makes of a name without separators is fit', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'é', '鱼', '-', '_', ' ', '%', '5'), minLength: 1, maxLength: 12 })
  fc.assert(fc.property(name, (text) => findPathProblem(`/api/v1/models/${encodeURIComponent(text)}`) === null))
})

test.each([
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['localhost', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['127.0.0.1.evil.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})

const local = { method: 'POST', host: 'localhost:8080', origin: undefined, fetchSite: undefined, proxied: false }
const names = localNames(8080, ['millrace.test'])

test.each([
  [{}, null],
  [{ host: '127.0.0.1:8080' }, null],
  [{ host: '[::1]:8080' }, null],
  [{ host: 'MILLRACE.test' }, null],
  [{ host: 'localhost:8081' }, 'host'],
  [{ host: 'localhost' }, 'host'],
  [{ host: 'evil.example:8080' }, 'host'],
  [{ host: undefined }, 'host'],
  [{ origin: 'http://localhost:8080' }, null],
  [{ origin: 'http://127.0.0.1:8080' }, 'origin'],
  [{ origin: 'http://localhost:8080.evil.example' }, 'origin'],
  [{ origin: 'null' }, 'origin'],
  [{ method: 'GET', origin: 'https://evil.example' }, null],
  [{ fetchSite: 'cross-site' }, 'origin'],
  [{ fetchSite: 'same-site' }, 'origin'],
  [{ fetchSite: 'same-origin' }, null],
  [{ proxied: true }, 'proxied'],
])('a caller without a key who says %j is refused for: %s', (claims, kind) => {
  expect(refuseLocal({ ...local, ...claims }, names)?.kind ?? null).toBe(kind)
})

test('credentials that a browser adds by itself do not let another origin write', () => {
  expect(refuseCrossSite({ ...local, host: 'mill.example', origin: 'https://mill.example' })).toBeNull()
  expect(refuseCrossSite({ ...local, host: 'mill.example', origin: 'https://evil.example' })?.kind).toBe('origin')
})

const event = (offset: number, time = offset): LiveEvent => ({
  position: `t/0/${offset}`,
  id: String(offset),
  type: 'x',
  topic: topicNames[0] ?? '',
  subject: 's',
  time: new Date(time * 1000).toISOString(),
  data: null,
})

test('a reader who comes back gets what it missed; one who was away too long gets all that is held', () => {
  const history = new EventHistory(3)
  for (let offset = 0; offset < 10; offset++) history.add(event(offset))
  expect(history.after('t/0/8').map(({ id }) => id)).toEqual(['9'])
  expect(history.after('t/0/9')).toEqual([])
  expect(history.after('t/0/1').map(({ id }) => id)).toEqual(['7', '8', '9'])
  expect(history.newest(2).map(({ id }) => id)).toEqual(['8', '9'])
  expect(history.newest(0)).toEqual([])
})

test('what several topics held before the start is shown in the order in which it happened', () => {
  const history = new EventHistory(10)
  for (const [offset, time] of [
    [0, 5],
    [1, 1],
    [2, 3],
  ] as const)
    history.add(event(offset, time))
  history.sort()
  expect(history.newest(10).map(({ id }) => id)).toEqual(['1', '2', '0'])
})
