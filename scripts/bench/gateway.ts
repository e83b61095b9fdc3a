import { Lifetime } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { z } from 'zod'
import { type Part, startPart } from './part.ts'

/**
 * What the gateway costs, beside an empty proxy in the same run: the same pod, which answers at once, the same load, in turns. A ratio says more than a figure where other
 * programs use the same cores.
 *
 *     node scripts/bench/gateway.ts [--seconds=5] [--rounds=3]
 */
const result = z.object({ answers: z.number(), failures: z.number(), seconds: z.number(), p50: z.number(), p99: z.number() })
const cpu = z.object({ user: z.number(), system: z.number() })
const option = (name: string, preset: number): number => Number(process.argv.find((part) => part.startsWith(`--${name}=`))?.split('=')[1] ?? preset)

const seconds = option('seconds', 5)
const rounds = option('rounds', 3)

interface Measured extends z.infer<typeof result> {
  readonly cpuMicroseconds: number
}

async function measure(load: Part, target: { part: Part; url: string }, connections: number): Promise<Measured> {
  const before = await target.part.ask('cpu', cpu)
  const measured = await load.ask('load', result, { url: target.url, connections, forMs: seconds * 1000 })
  const after = await target.part.ask('cpu', cpu)
  return { ...measured, cpuMicroseconds: (after.user + after.system - before.user - before.system) / Math.max(1, measured.answers) }
}

const median = (values: readonly number[]): number => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
const show = (values: readonly number[]): string => median(values).toFixed(2).padStart(9)

async function main(lifetime: Lifetime): Promise<void> {
  const start = (): Promise<Part> => lifetime.start(startPart('gateway-part.ts', { ...process.env }))
  const [pod, floor, gateway, load] = [await start(), await start(), await start(), await start()]
  const origin = await pod.ask('pod', z.string())
  const targets = {
    pod: { part: pod, url: origin },
    'empty proxy': { part: floor, url: await floor.ask('floor', z.string(), { origin }) },
    gateway: { part: gateway, url: await gateway.ask('gateway', z.string(), { origin }) },
  }
  process.stdout.write('connections  target          req/s    p50 ms    p99 ms  cpu µs/request  failures\n')
  for (const connections of [1, 32, 128]) {
    const all = Object.entries(targets).map(([name, target]) => ({ name, target, measured: [] as Measured[] }))
    for (const { target } of all) await load.ask('load', result, { url: target.url, connections, forMs: 1000 })
    for (let round = 0; round < rounds; round++) for (const { target, measured } of all) measured.push(await measure(load, target, connections))
    for (const { name, measured } of all) {
      const rates = measured.map((one) => one.answers / one.seconds)
      const row = [rates, measured.map(({ p50 }) => p50), measured.map(({ p99 }) => p99), measured.map(({ cpuMicroseconds }) => cpuMicroseconds)].map(show)
      const failures = measured.reduce((sum, one) => sum + one.failures, 0)
      process.stdout.write(`${String(connections).padEnd(12)} ${name.padEnd(12)} ${row.join(' ')}  ${failures}\n`)
    }
  }
}

const lifetime = new Lifetime()
await main(lifetime)
  .catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = 1
  })
  .finally(() => lifetime.stop())
