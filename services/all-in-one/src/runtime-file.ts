import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processIdentity } from '@millrace/platform/sql/process-identity.ts'
import { z } from 'zod'

/** What a running Millrace leaves in its data folder, so that the other commands find it. `identity` tells its process from a later one of the same number. */
const runtime = z.object({ pid: z.int().positive(), identity: z.string(), url: z.string(), startedAt: z.string(), services: z.record(z.string(), z.string()) })
export type Runtime = z.infer<typeof runtime>

const pathIn = (dataRoot: string): string => join(dataRoot, 'runtime.json')

export async function writeRuntime(dataRoot: string, value: Omit<Runtime, 'identity'>): Promise<void> {
  const temporary = `${pathIn(dataRoot)}.${process.pid}`
  await writeFile(temporary, `${JSON.stringify({ ...value, identity: processIdentity(value.pid) ?? 'unknown' }, null, 2)}\n`)
  await rename(temporary, pathIn(dataRoot))
}

export const removeRuntime = (dataRoot: string): Promise<void> => rm(pathIn(dataRoot), { force: true })

/** The running instance, or null where none runs: a file that a killed process left behind does not count. */
export async function readRuntime(dataRoot: string): Promise<Runtime | null> {
  const text = await readFile(pathIn(dataRoot), 'utf8').catch(() => null)
  if (text === null) return null
  const parsed = runtime.safeParse(parseJson(text))
  return parsed.success && isAlive(parsed.data) ? parsed.data : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export const isAlive = ({ pid, identity }: Pick<Runtime, 'pid' | 'identity'>): boolean => processIdentity(pid) === identity
