import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect } from 'vitest'
import type { RunningRegistry } from './running-registry.ts'

export const finished = (rest: Partial<RunFinished> = {}): RunFinished => ({
  ...{ runId: 'r1', experimentId: '1', runName: 'bold-perch', user: 'ana', status: 'FINISHED', startTime: null, endTime: '2026-01-01T00:00:00.000Z' },
  ...{ artifactUri: 'mlflow-artifacts:/1/r1/artifacts', tags: { 'millrace.register': 'fish' }, params: {}, metrics: { test_accuracy: 0.93 } },
  ...{ datasets: [{ name: 'drawn', digest: 'sha256:1', context: 'train' }], outputs: [] },
  ...rest,
})

export const status = async (registry: RunningRegistry, version = 1, name = 'fish') => {
  const { body } = await registry.mlflow('GET', 'model-versions/get', { name, version })
  return body['model_version'] ?? null
}
export const ready = (registry: RunningRegistry, version = 1) =>
  until(async () => {
    expect(await status(registry, version)).toMatchObject({ status: 'READY' })
    return true
  })
export const publishedOf = async (registry: RunningRegistry, type: string) => {
  await registry.settled()
  return (await registry.published()).filter((event) => event.type === type)
}
