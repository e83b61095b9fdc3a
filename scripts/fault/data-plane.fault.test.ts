import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '@millrace/platform/testing/until.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answered, type Load, loadWhile, metricOf } from './harness/load.ts'
import { createModel, logModel, promote, registerRun, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer, slowModel } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'

const FACTOR = 2
let platform: Platform
beforeAll(async () => {
  const pods = ['inference-1', 'inference-2', 'inference-3']
  const envOf = { 'gateway-1': { GATEWAY_SLOW_START_MS: '1000', GATEWAY_EJECTION_MS: '500' } }
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'gateway-1', ...pods], envOf })
  const { client } = platform
  await registerScales(client, 'scale', [FACTOR])
  await promote(client, 'scale', '1')
  await createModel(client, 'heavy')
  await registerRun(client, 'heavy', await logModel(client, slowModel(FACTOR, 4)))
  await promote(client, 'heavy', '1')
  for (const model of ['scale', 'heavy']) await untilServed(client, podsOf(), model, '1')
  await untilPods('serving', 3)
})
afterAll(() => platform?.stop())

const podsOf = () => platform.processes.filter(({ service }) => service === 'inference')
const gateway = () => platform.process('gateway-1')
const scale = (connections = 24): Load => ({ url: gateway().url, model: 'scale', connections, expected: scaleAnswer(FACTOR) })
const untilPods = (state: string, count: number) =>
  until(async () => (await metricOf(gateway().url, 'millrace_gateway_pods{', 'upstream="inference"', `state="${state}"`)) === count, { everyMs: 50 })
const failures = (answers: readonly Answered[]): string[] => [...new Set(answers.filter(({ right }) => !right).map(({ status, text }) => `${status} ${text}`))]
const predictionsOf = (url: string) => metricOf(url, 'millrace_http_requests_total{', 'infer', 'status="200"')

test('SIGKILL of a pod of three under load: no prediction fails, and the pod is asked again when it is back', async () => {
  const killed = platform.process('inference-1')
  const pid = killed.pid
  const { answers } = await loadWhile(scale(), async () => {
    await pause(500)
    await killed.kill()
    await pause(1000)
    await killed.start()
    await untilServed(platform.client, [killed], 'scale', '1')
    await untilPods('serving', 3)
    await until(async () => (await predictionsOf(killed.url)) > 0)
  })
  expect(failures(answers)).toEqual([])
  expect(killed.pid).not.toBe(pid)
})

test('SIGSTOP of a pod of three under load: what it had in its hands is answered by others, and nothing fails', async () => {
  const stopped = platform.process('inference-2')
  const { answers } = await loadWhile(scale(), async () => {
    await pause(300)
    stopped.send('SIGSTOP')
    await untilPods('gone', 1)
    await pause(500)
    stopped.send('SIGCONT')
    await untilPods('serving', 3)
  })
  expect(failures(answers)).toEqual([])
})

test('a pod that crawls gets fewer predictions than the others, and nothing fails', async () => {
  const slow = platform.process('inference-3')
  const counts = () => Promise.all(podsOf().map(async ({ name, url }) => [name, await predictionsOf(url)] as const))
  const before = new Map(await counts())
  const { answers } = await loadWhile(scale(), async () => {
    // It runs for 10 of 100 ms.
    for (let round = 0; round < 30; round++) {
      slow.send('SIGSTOP')
      await pause(90)
      slow.send('SIGCONT')
      await pause(10)
    }
  })
  expect(failures(answers)).toEqual([])
  const share = new Map((await counts()).map(([name, count]) => [name, count - (before.get(name) ?? 0)]))
  const others = Math.min(share.get('inference-1') ?? 0, share.get('inference-2') ?? 0)
  expect(share.get('inference-3')).toBeLessThan(others)
  await untilPods('serving', 3)
})

const residentBytes = (pid: number | null): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

test('overload: what is not answered is refused with a time to come back, no pod is left alone for it, memory stays bounded, and calm returns', async () => {
  const before = await metricOf(gateway().url, 'millrace_gateway_ejections_total{', 'reason="faults"')
  const { answers } = await loadWhile({ url: gateway().url, model: 'heavy', connections: 700 }, () => pause(5000))
  expect(answers.some(({ status }) => status === 200)).toBe(true)
  expect([...new Set(answers.map(({ status }) => status))].filter((status) => ![200, 503, 504].includes(status))).toEqual([])
  const refused = answers.filter(({ status }) => status === 503)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.filter(({ retryAfter }) => retryAfter === undefined)).toEqual([])
  expect(await metricOf(gateway().url, 'millrace_gateway_ejections_total{', 'reason="faults"')).toBe(before)
  expect(residentBytes(gateway().pid)).toBeLessThan(512 * 1024 * 1024)
  const { answers: after } = await loadWhile(scale(4), () => pause(500))
  expect(failures(after)).toEqual([])
})

/** Connections that never say all they have to say. `dribble` is sent on each, byte by byte. */
function openStalled(count: number, dribble: string): { sockets: Socket[]; closed: () => number } {
  let closed = 0
  const { port } = new URL(gateway().url)
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    let sent = 0
    const timer = setInterval(() => socket.write(dribble[sent++ % Math.max(1, dribble.length)] ?? ''), 200)
    socket.on('error', () => undefined).on('data', () => undefined)
    socket.once('close', () => {
      clearInterval(timer)
      closed += 1
    })
    return socket
  })
  return { sockets, closed: () => closed }
}

test('connections that say nothing, or dribble, are hung up on, and meanwhile predictions are answered', async () => {
  const silent = openStalled(300, '')
  const dribbling = openStalled(300, `POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(1000)}`)
  const { answers } = await loadWhile(scale(8), () => until(() => silent.closed() === 300 && dribbling.closed() === 300, { timeoutMs: 60_000 }))
  expect(failures(answers)).toEqual([])
})
