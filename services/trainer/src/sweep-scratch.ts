import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrainerDeps } from './deps.ts'
import { isOver } from './domain/job.ts'
import { findJob } from './job-store.ts'

const OLD_MS = 86_400_000
export const EVALUATION_FOLDER = 'evaluation-'

/** Folders in the scratch space that no living work can be using: of jobs that are over, and of evaluations since yesterday. */
export async function leftovers({ config, database, clock }: Pick<TrainerDeps, 'config' | 'database' | 'clock'>): Promise<string[]> {
  const names = await readdir(config.TRAINER_SCRATCH).catch(() => [])
  const old: string[] = []
  for (const name of names) {
    const path = join(config.TRAINER_SCRATCH, name)
    const stored = await findJob(database, name)
    const changed = await stat(path).catch(() => null)
    if (!changed) continue
    const forgotten = name.startsWith(EVALUATION_FOLDER) && clock().getTime() - changed.mtimeMs > OLD_MS
    const unused = stored ? isOver(stored.job.state) : forgotten
    if (unused) old.push(path)
  }
  return old
}
