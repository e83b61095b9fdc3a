import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireDirectoryLock } from '@millrace/platform/sql/directory-lock.ts'
import { isAlive, readRuntime } from '../runtime-file.ts'
import type { Print } from './urls.ts'

const STOP_MS = 30_000

/** Asks the running instance to stop and waits until it is gone; none running is fine. */
export async function stopRunning(dataRoot: string, print: Print): Promise<void> {
  const runtime = await readRuntime(dataRoot)
  if (!runtime) return print(`no Millrace runs on ${dataRoot}`)
  process.kill(runtime.pid, 'SIGTERM')
  const deadline = Date.now() + STOP_MS
  while (isAlive(runtime) && Date.now() < deadline) await sleep(100)
  if (isAlive(runtime)) throw new Error(`process ${runtime.pid} did not stop within ${STOP_MS / 1000} s: look at ${join(dataRoot, 'millrace.log')}`)
  print(`stopped process ${runtime.pid}`)
}

/** Deletes everything that Millrace keeps: models, runs, data sets, events. Only a folder that holds its database is deleted, and only while nothing runs on it. */
export async function resetData(dataRoot: string, print: Print): Promise<void> {
  const runtime = await readRuntime(dataRoot)
  if (runtime) throw new Error(`process ${runtime.pid} runs on ${dataRoot}: stop it first with 'npm run stop'`)
  const known = await access(join(dataRoot, 'database')).then(
    () => true,
    () => false,
  )
  if (!known) return print(`nothing to reset: ${dataRoot} holds no Millrace`)
  // One that is still starting has no runtime file yet, but it holds the database.
  acquireDirectoryLock(join(dataRoot, 'database'))
  await rm(dataRoot, { recursive: true, force: true })
  print(`deleted ${dataRoot}`)
}
