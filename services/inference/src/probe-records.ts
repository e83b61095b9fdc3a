import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomically } from './write-file-atomically.ts'

const record = z.object({
  /** A probe answered its example in full. */
  passed: z.boolean(),
  /** How often a probe, or the pod itself while opening it, ended because of it. */
  crashes: z.int().nonnegative(),
  /** The pod is opening it now; found at a start, it means that the pod did not survive that. */
  opening: z.boolean(),
  lastCrash: z.string(),
  /** What one open session took in the process that tried it. */
  memoryBytes: z.int().nonnegative().optional(),
})
export type ProbeRecord = z.infer<typeof record>

const fresh: ProbeRecord = { passed: false, crashes: 0, opening: false, lastCrash: '' }

/** This many crashes put a digest into quarantine. */
export const CRASHES_TO_QUARANTINE = 2

/** What is known of each artifact digest from trying it, kept on disk so that a crash is remembered. */
export interface ProbeRecords {
  read(digest: string): Promise<ProbeRecord>
  write(digest: string, record: ProbeRecord): Promise<void>
}

/** An unreadable record counts as none: the digest is probed again. */
export async function openProbeRecords(directory: string): Promise<ProbeRecords> {
  await mkdir(directory, { recursive: true })
  const pathOf = (digest: string): string => join(directory, `${digest}.json`)
  return {
    async read(digest) {
      const text = await readFile(pathOf(digest), 'utf8').catch(() => null)
      const known = text === null ? null : parse(text)
      if (!known) return fresh
      if (!known.opening) return known
      return { ...known, passed: false, opening: false, crashes: known.crashes + 1, lastCrash: 'the pod ended while opening it' }
    },
    write: (digest, next) => writeFileAtomically(pathOf(digest), JSON.stringify(next)),
  }
}

function parse(text: string): ProbeRecord | null {
  try {
    return record.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
