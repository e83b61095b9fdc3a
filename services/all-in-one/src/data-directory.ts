import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, messageOf } from '@millrace/platform/errors.ts'

/** Where the parts of one Millrace keep their files. */
export interface DataDirectory {
  readonly root: string
  readonly database: string
  readonly blobs: string
  readonly datasets: string
  /** Feature extractors (ONNX) of the user's own. */
  readonly backbones: string
  readonly inference: string
  readonly scratch: string
  readonly log: string
}

/** What a person who starts Millrace is told of, whichever way it runs. */
export type ShownDirectory = Pick<DataDirectory, 'root' | 'datasets' | 'log'>

const LOG_MAX_BYTES = 20_000_000
/** Enough to show at start, in one line, that the disk takes what the database is about to write. */
const PROBE_BYTES = 1_048_576

/**
 * Makes the folders and proves that they can be written.
 * @throws AppError STORAGE_FULL with one line for a disk that is full, read-only or not ours.
 */
export async function prepareDataDirectory(root: string): Promise<DataDirectory> {
  const directory: DataDirectory = {
    root,
    database: join(root, 'database'),
    blobs: join(root, 'blobs'),
    datasets: join(root, 'datasets'),
    backbones: join(root, 'backbones'),
    inference: join(root, 'inference'),
    scratch: join(root, 'scratch'),
    log: join(root, 'millrace.log'),
  }
  const probe = join(root, '.write-probe')
  try {
    for (const path of [directory.blobs, directory.datasets, directory.backbones, directory.inference, directory.scratch])
      await mkdir(path, { recursive: true })
    await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flush: true })
    await keepLogSmall(directory.log)
  } catch (error) {
    throw new AppError('STORAGE_FULL', `Cannot write to ${root}: ${messageOf(error)}. Free some space, or set MILLRACE_DATA to a folder that can be written.`, {
      cause: error,
    })
  } finally {
    await rm(probe, { force: true }).catch(() => undefined)
  }
  return directory
}

async function keepLogSmall(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_MAX_BYTES) await rename(path, `${path}.1`)
}
