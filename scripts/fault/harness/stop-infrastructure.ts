import { existsSync } from 'node:fs'
import { callInfra, directoryOf } from './infrastructure.ts'

const MOST_SLOTS = 16

/** After all test files: stops the servers of every worker. FAULT_KEEP=1 leaves them running for the next run. */
export async function teardown(): Promise<void> {
  if (process.env['FAULT_KEEP'] === '1') return
  const slots = Array.from({ length: MOST_SLOTS }, (_, index) => index + 1).filter((slot) => existsSync(directoryOf(slot)))
  await Promise.all(slots.map((slot) => callInfra(slot, 'down')))
}
