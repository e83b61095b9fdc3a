import { runStarted } from '@millrace/contracts/events/run-events.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { OutsideAnswer, OutsideClient, OutsideRequest } from '@millrace/platform/http/outside-client.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { type RunningRegistry, runningRegistry } from '../testing/running-registry.ts'

const config = { REGISTRY_OPENLINEAGE_URL: 'https://lineage.example/api/v1/lineage', REGISTRY_OPENLINEAGE_API_KEY: 'key-1' }
const ok: OutsideAnswer = { status: 201, body: '', retryAfter: null }

/** An endpoint that answers as told, and `ok` from then on. */
function endpoint(...answers: (OutsideAnswer | Error)[]) {
  const requests: OutsideRequest[] = []
  const outside: OutsideClient = {
    findProblem: async () => null,
    post: async (request) => {
      requests.push(request)
      const answer = answers.shift() ?? ok
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  return { requests, outside, runs: () => requests.map(({ body }): unknown => JSON.parse(body).run.facets.millrace_run.runId) }
}

const begin = (registry: RunningRegistry, runId: string) =>
  registry.emitEvent(runStarted, runId, { runId, experimentId: '1', runName: 'n', user: 'ana', startTime: '2026-01-01T00:00:00.000Z', tags: {} })

/** Whatever waits is due now. */
const hasten = (registry: RunningRegistry) => registry.database.query("update openlineage_delivery set attempt_at = now() - interval '1 hour'")
const left = (registry: RunningRegistry) => registry.database.query('select dead_at is not null as dead, last_error from openlineage_delivery')

test('events are posted to the endpoint with its key, in order, and nothing is left', async () => {
  const { outside, requests, runs } = endpoint()
  const registry = await runningRegistry(config, { outside })
  for (const runId of ['r1', 'r2', 'r3']) await begin(registry, runId)
  await until(async () => requests.length === 3 && (await left(registry)).length === 0)
  expect(runs()).toEqual(['r1', 'r2', 'r3'])
  expect(requests[0]).toMatchObject({ url: config.REGISTRY_OPENLINEAGE_URL, headers: { authorization: 'Bearer key-1', 'content-type': 'application/json' } })
})

test('while the endpoint is away the oldest is tried again and none overtakes it', async () => {
  const { outside, requests, runs } = endpoint(new TransientError('nobody is there'), { status: 503, body: '', retryAfter: '60' })
  const registry = await runningRegistry(config, { outside })
  await begin(registry, 'r1')
  await until(() => requests.length === 1)
  await begin(registry, 'r2')
  await until(async () => (await left(registry)).length === 2)
  for (const count of [2, 4]) {
    await hasten(registry)
    await until(() => requests.length >= count)
  }
  expect(runs()).toEqual(['r1', 'r1', 'r1', 'r2'])
  await until(async () => (await left(registry)).length === 0)
})

test('what the endpoint refuses for good is given up and holds up nothing', async () => {
  const { outside, runs } = endpoint({ status: 400, body: '', retryAfter: null })
  const registry = await runningRegistry(config, { outside })
  for (const runId of ['r1', 'r2']) await begin(registry, runId)
  await until(() => runs().length === 2)
  await until(async () => (await left(registry)).length === 1)
  expect(await left(registry)).toEqual([{ dead: true, last_error: 'answered with status 400' }])
})

test('what was not posted when the registry stopped is posted by the next one', async () => {
  const { outside, requests, runs } = endpoint(new TransientError('nobody is there'))
  const registry = await runningRegistry(config, { outside })
  await begin(registry, 'r1')
  await until(() => requests.length === 1)
  await until(async () => (await left(registry)).some((row) => row['last_error'] !== ''))
  await registry.restart()
  await hasten(registry)
  await until(() => requests.length === 2)
  expect(runs()).toEqual(['r1', 'r1'])
})

test('without an endpoint nothing is kept to be posted', async () => {
  const registry = await runningRegistry()
  await begin(registry, 'r1')
  await until(async () => (await registry.published('millrace.openlineage.v1')).length === 1)
  expect(await left(registry)).toEqual([])
})
