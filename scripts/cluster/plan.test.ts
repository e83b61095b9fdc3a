import { expect, test } from 'vitest'
import { planCluster, serviceNames } from './plan.ts'

const settings = { host: '0.0.0.0', port: 8080, basePort: 18_200, copies: 2, dataRoot: '/data' }

test('two processes of each service, each on a port and under a name of its own', () => {
  const members = planCluster(settings)
  expect(members).toHaveLength(2 * serviceNames.length)
  expect(new Set(members.map(({ port }) => port)).size).toBe(members.length)
  expect(new Set(members.map(({ name }) => name)).size).toBe(members.length)
})

test('only the first gateway listens where others may reach it', () => {
  const members = planCluster(settings)
  expect(members.filter(({ env }) => env['HOST'] !== '127.0.0.1').map(({ name, port }) => [name, port])).toEqual([['gateway-1', 8080]])
})

test('everybody knows all processes of everybody', () => {
  const [first] = planCluster(settings)
  expect(first?.env).toMatchObject({
    DRIFT_MONITOR_URLS: 'http://127.0.0.1:18208,http://127.0.0.1:18209',
    INFERENCE_URLS: 'http://127.0.0.1:18210,http://127.0.0.1:18211',
  })
})

test('pods share no cache and trainers no scratch space, but the data sets', () => {
  const members = planCluster(settings)
  const valuesOf = (name: string) => members.flatMap(({ env }) => env[name] ?? [])
  expect(valuesOf('INFERENCE_CACHE_DIR')).toEqual(['/data/cluster/inference-1', '/data/cluster/inference-2'])
  expect(valuesOf('INFERENCE_POD')).toEqual(['inference-1', 'inference-2'])
  expect(valuesOf('TRAINER_SCRATCH')).toEqual(['/data/cluster/trainer-1', '/data/cluster/trainer-2'])
  expect(new Set(valuesOf('TRAINER_DATA_ROOTS'))).toEqual(new Set(['/data/datasets']))
})
