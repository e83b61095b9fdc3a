import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { prediction } from '@millrace/contracts/http/inference.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { imageForm, picture } from './testing/picture.ts'
import { colourModel, scaleModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf, type TestPod } from './testing/test-pod.ts'

const inferred = z.object({ model_version: z.string(), outputs: z.array(z.object({ data: z.array(z.number()) })) })

interface Seen {
  version: string
  generation: number
  factor: number
}

/** Asks y = factor * x + 1 with a new x each time, so that no answer comes from the cache. */
async function ask(pod: TestPod, x: number): Promise<Seen> {
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [x, x] }], outputs: [{ name: 'y' }] })
  const response = await pod.call('/v2/models/scale/infer', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${text}`)
  const { model_version: version, outputs } = inferred.parse(JSON.parse(text))
  expect(response.headers.get('x-millrace-model-version')).toBe(version)
  return { version, generation: Number(response.headers.get('x-millrace-generation')), factor: ((outputs[0]?.data[0] ?? 0) - 1) / x }
}

test('while versions are swapped under load no request fails, and every answer is that of the version it names', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world, { config: { INFERENCE_THREADS: 2 } })
  const artifacts: Artifact[] = []
  for (let version = 1; version <= 4; version++) artifacts.push(await world.seal(scaleModel(version)))
  const promote = (generation: number) => {
    const version = ((generation - 1) % artifacts.length) + 1
    const artifact = artifacts[version - 1]
    if (!artifact) throw new Error('no such artifact')
    return world.publish(stateOf('scale', { generation, production: [String(version), artifact] }))
  }
  await promote(1)
  await pod.serves('scale', '1')

  const seen: Seen[] = []
  const failures: unknown[] = []
  const done = new AbortController()
  const client = async (first: number) => {
    for (let x = first; !done.signal.aborted; x += 4)
      await ask(pod, x).then(
        (answer) => seen.push(answer),
        (error: unknown) => failures.push(error),
      )
  }
  const clients = Array.from({ length: 4 }, (_, index) => client(index + 1))
  for (let generation = 2; generation <= 12; generation++) {
    await promote(generation)
    await until(() => seen.at(-1)?.generation === generation)
  }
  done.abort()
  await Promise.all(clients)
  expect(failures).toEqual([])
  for (const { version, factor } of seen) expect(factor).toBeCloseTo(Number(version), 3)
  expect(new Set(seen.map(({ generation }) => generation)).size).toBe(12)
})

test('a request that is in flight when the swap happens is answered by the version it began on', async () => {
  const world = await createWorld()
  const gate = Promise.withResolvers<void>()
  const held: string[] = []
  const pod = await startTestPod(world, {
    deps: {
      cache: {
        async get() {
          held.push('asked')
          await gate.promise
          return null
        },
        set: async () => undefined,
        delete: async () => undefined,
      },
    },
  })
  await world.publish(stateOf('colour', { generation: 1, production: ['1', await world.seal(colourModel(0))] }))
  await pod.serves('colour', '1')
  const early = pod.call('/predict', { method: 'POST', body: imageForm(picture([250, 10, 10])) })
  await until(() => held.length === 1)
  await world.publish(stateOf('colour', { generation: 2, production: ['2', await world.seal(colourModel(9))] }))
  await pod.serves('colour', '2')
  gate.resolve()
  expect(prediction.parse(await (await early).json())).toMatchObject({ model_version: '1' })
  const late = await pod.call('/predict', { method: 'POST', body: imageForm(picture([10, 10, 250])) })
  expect(prediction.parse(await late.json())).toMatchObject({ model_version: '2', predicted_class: 'red' })
})

test('a storm of promotions ends on the newest, and what was overtaken is never announced', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const artifacts = await Promise.all(Array.from({ length: 10 }, (_, index) => world.seal(scaleModel(index + 1))))
  for (const [index, artifact] of artifacts.entries()) {
    await world.publish(stateOf('scale', { generation: index + 1, production: [String(index + 1), artifact] }))
  }
  await pod.serves('scale', '10')
  const activated = await until(async () => {
    const events = await world.events('millrace.serving-events.v1', 'activated')
    return events.some(({ version }) => version === '10') ? events : null
  })
  const generations = activated.map(({ generation }) => Number(generation))
  expect(generations).toEqual([...generations].sort((a, b) => a - b))
  expect((await pod.models()).map(({ version }) => version)).toEqual(['10'])
})
