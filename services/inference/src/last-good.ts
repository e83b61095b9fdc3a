import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import { servingSnapshot } from '@millrace/contracts/http/registry.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import { writeFileAtomically } from './write-file-atomically.ts'

/** The serving states that this pod followed last, on the local disk: what it starts from while the registry is away. */
export interface LastGood {
  /** Empty where there is none, or none that can be read. */
  read(): Promise<readonly ServingState[]>
  /** Writes what `states` gives, soon; calls in between are served by one write. A disk that is full is logged: the pod serves on. */
  save(states: () => readonly ServingState[]): void
  /** Resolves when nothing is left to write. */
  flushed(): Promise<void>
}

export function openLastGood(path: string, log: Log): LastGood {
  let writing: Promise<void> | null = null
  let again = false
  const write = async (states: () => readonly ServingState[]): Promise<void> => {
    do {
      again = false
      try {
        await mkdir(dirname(path), { recursive: true })
        await writeFileAtomically(path, JSON.stringify({ states: states() }))
      } catch (error) {
        log.warn('the serving state could not be kept on disk', { path, reason: messageOf(error) })
      }
    } while (again)
    writing = null
  }
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(() => null)
      return text === null ? [] : parse(text, path, log)
    },
    save(states) {
      again = true
      writing ??= write(states)
    },
    flushed: () => writing ?? Promise.resolve(),
  }
}

function parse(text: string, path: string, log: Log): readonly ServingState[] {
  try {
    return servingSnapshot.parse(JSON.parse(text)).states
  } catch (error) {
    log.warn('the serving state on disk cannot be read; waiting for the registry', { path, reason: messageOf(error) })
    return []
  }
}
