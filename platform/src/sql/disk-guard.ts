import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** PostgreSQL panics when it cannot extend its write-ahead log, whose segments have 16 MB: writes are refused well before that. */
const RESERVE_BYTES = 64 * 1024 * 1024
const EVERY_MS = 1_000
const WRITES = /^\s*(insert|update|delete|merge|create|alter)\b|^\s*with\b.*\b(insert|update|delete)\b/is

export interface DiskGuard {
  /** @throws AppError STORAGE_FULL when the statement writes and the disk is nearly full */
  check(statement: string): void
  stop(): void
}

const full = (directory: string): AppError =>
  new AppError('STORAGE_FULL', `Less than ${RESERVE_BYTES / 1024 / 1024} MB are free on the disk that holds ${directory}: free some space and try again`)

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** Watches the free space of the database's disk. @throws AppError STORAGE_FULL when it is too little to start */
export async function startDiskGuard(directory: string, log: Log, measure = freeBytes, everyMs = EVERY_MS): Promise<DiskGuard> {
  const isFull = async (): Promise<boolean> => (await measure(dirname(directory))) < RESERVE_BYTES
  let refusing = await isFull()
  if (refusing) throw full(directory)
  const look = async (): Promise<void> => {
    const before = refusing
    refusing = await isFull()
    if (refusing && !before) log.error('The disk is nearly full; writes are refused until there is space', { directory })
    if (!refusing && before) log.info('The disk has space again; writes are accepted', { directory })
  }
  const timer = setInterval(() => void look().catch((error: unknown) => log.warn('Free disk space is unknown', { reason: messageOf(error) })), everyMs)
  timer.unref()
  return {
    check(statement) {
      if (refusing && WRITES.test(statement)) throw full(directory)
    },
    stop: () => clearInterval(timer),
  }
}

export const noDiskGuard: DiskGuard = { check: () => undefined, stop: () => undefined }
