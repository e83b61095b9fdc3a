import { Lifetime } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { choosePlace, type Place } from './place.ts'

/** Runs a benchmark on ports of its own, ends what it started, also when it is stopped, and ends the process: with 1 when it failed. */
export async function runBench(main: (place: Place, lifetime: Lifetime) => Promise<void>, basePort: number): Promise<never> {
  const lifetime = new Lifetime()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void lifetime.stop().finally(() => process.exit(1)))
  try {
    await main(choosePlace({ BENCH_BASE_PORT: String(basePort), ...process.env }), lifetime)
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)}\n`)
    process.exitCode = 1
  } finally {
    await lifetime.stop()
  }
  process.exit()
}
