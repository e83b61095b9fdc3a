import { Lifetime } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { z } from 'zod'
import { type Part, startPart } from './part.ts'

/**
 * Three pods that are bound by their model, behind the gateway, under an open loop: at 80 % of what they can do, at three times as much, and with one pod that stands still.
 *
 *     node scripts/bench/gateway-overload.ts [--seconds=10]
 */
const SERVICE_MS = 5
const QUEUE = 40
const PODS = 3
const CAPACITY = (PODS * 1000) / SERVICE_MS

const seconds = Number(process.argv.find((part) => part.startsWith('--seconds='))?.split('=')[1] ?? 10)
const result = z.object({
  sent: z.number(),
  statuses: z.record(z.string(), z.number()),
  goodput: z.number(),
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
})
const toMegabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`

async function main(lifetime: Lifetime): Promise<void> {
  const start = (): Promise<Part> => lifetime.start(startPart('gateway-part.ts', { ...process.env }))
  const pods = await Promise.all(Array.from({ length: PODS }, start))
  const origins = await Promise.all(pods.map((pod) => pod.ask('bound pod', z.string(), { serviceMs: SERVICE_MS, queue: QUEUE })))
  const [gateway, load] = [await start(), await start()]
  const url = await gateway.ask('gateway', z.string(), { origin: origins.join(',') })
  async function row(name: string, share: number): Promise<void> {
    const { sent, statuses, goodput, p50, p99, max } = await load.ask('open loop', result, { url, perSecond: CAPACITY * share, forMs: seconds * 1000 })
    const memory = toMegabytes(await gateway.ask('memory', z.number()))
    const times = [p50, p99, max].map((ms) => ms.toFixed(1)).join(' / ')
    process.stdout.write(
      `${name.padEnd(34)} sent ${sent}, answered ${JSON.stringify(statuses)}, goodput ${goodput.toFixed(0)}/s, p50/p99/max ${times} ms, ${memory}\n`,
    )
  }
  process.stdout.write(`${PODS} pods of ${1000 / SERVICE_MS} req/s each, queue ${QUEUE}\n`)
  await row('80 %', 0.8)
  await row('100 %', 1)
  await row('300 %', 3)
  await row('50 %, all pods', 0.5)
  const stopped = await pods[0]?.ask('pid', z.number())
  if (stopped) process.kill(stopped, 'SIGSTOP')
  await row('50 %, one pod stands still', 0.5)
  if (stopped) process.kill(stopped, 'SIGCONT')
  await row('50 %, it goes on again', 0.5)
}

const lifetime = new Lifetime()
await main(lifetime)
  .catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = 1
  })
  .finally(() => lifetime.stop())
