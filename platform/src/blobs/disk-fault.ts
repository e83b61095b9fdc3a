import { AppError, TransientError } from '../errors.ts'

export const errorCodeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the disk: free some, then try again',
  EDQUOT: 'the disk quota is used up: free some space, then try again',
  EROFS: 'the disk is read-only: choose another folder, or mount it writable',
  EACCES: 'this user may not write there: change its owner, or choose another folder',
  EPERM: 'this user may not write there: change its owner, or choose another folder',
  ENOTDIR: 'a part of this path is a file: choose another folder',
}
const PASSING = ['EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ETIMEDOUT', 'ESTALE']

/** A fault of the disk in words: STORAGE_FULL where nothing can be written, `TransientError` where it may pass, anything else unchanged. */
export function explainDiskFault(root: string, error: unknown): unknown {
  const code = errorCodeOf(error)
  const reason = FULL[code]
  if (reason) return new AppError('STORAGE_FULL', `Cannot store in ${root}: ${reason}.`, { cause: error })
  return PASSING.includes(code) ? new TransientError(`The disk under ${root} failed (${code}).`, { cause: error }) : error
}
