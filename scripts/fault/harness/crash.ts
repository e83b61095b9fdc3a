import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CrashPoint } from '@millrace/platform/crash-point.ts'
import { until } from '@millrace/platform/testing/until.ts'
import type { Platform } from './platform.ts'

/**
 * Starts a process anew so that it dies at the point, does what `trigger` does, waits for that death and starts the process again.
 * @throws Error when it did not die there: then the test has shown nothing
 */
export async function crashAt<T>(platform: Platform, name: string, point: CrashPoint, trigger: () => Promise<T>): Promise<T> {
  const crashing = platform.process(name)
  const file = join(platform.directory, `${name}-${point}`)
  await crashing.kill()
  // The file keeps it from dying while it starts: a pod loads what it served before.
  writeFileSync(file, '')
  await crashing.start({ CRASH_AT: point, CRASH_ONCE_FILE: file })
  rmSync(file)
  const ended = crashing.ended()
  const told = await trigger()
  await until(() => crashing.pid === null)
  const how = await ended
  if (how !== 'SIGKILL' || !existsSync(file)) throw new Error(`${name} ended with ${how}, and not at ${point}`)
  await crashing.start({ CRASH_AT: point, CRASH_ONCE_FILE: file })
  return told
}
