import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../errors.ts'
import { processIdentity } from './process-identity.ts'

/**
 * A claim on a directory is a line appended to `<directory>.lock`; the holder is the first line whose process lives and that was not released. Appends are
 * ordered and a dead process stays dead, so of any number of simultaneous starts exactly one wins, and the claim of a killed process needs no cleaning up.
 */
interface Line {
  readonly action: 'claim' | 'release'
  readonly id: string
  readonly pid: number
  readonly identity: string
}

const encode = (line: Line): string => `${line.action} ${line.id} ${line.pid} ${line.identity}\n`

function parseLine(text: string): Line[] {
  const [action, id, pid, identity] = text.split(' ')
  if ((action !== 'claim' && action !== 'release') || !id || !pid || !identity) return []
  return [{ action, id, pid: Number(pid), identity }]
}

function holderOf(path: string): Line | undefined {
  const lines = readFileSync(path, 'utf8').split('\n').flatMap(parseLine)
  const released = new Set(lines.filter((line) => line.action === 'release').map((line) => line.id))
  return lines.find((line) => line.action === 'claim' && !released.has(line.id) && processIdentity(line.pid) === line.identity)
}

/** Node's file errors as one line that says what to do. */
function explained(error: unknown, path: string): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('STORAGE_FULL', `The disk that holds ${path} is full: free some space and start again`, { cause: error })
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new AppError('PERMISSION_DENIED', `${path} cannot be written (${code}): make it a writable folder or choose another data directory`, {
      cause: error,
    })
  }
  return error
}

/**
 * Claims the directory for this process and returns the function that gives it back.
 * @throws AppError RESOURCE_CONFLICT naming the process that has it; STORAGE_FULL; PERMISSION_DENIED
 */
export function acquireDirectoryLock(directory: string): () => void {
  const path = `${directory}.lock`
  const claim: Line = { action: 'claim', id: randomUUID(), pid: process.pid, identity: processIdentity(process.pid) ?? 'unknown' }
  const release = (): void => {
    try {
      appendFileSync(path, encode({ ...claim, action: 'release' }))
    } catch {
      // A full or vanished disk: the claim ends with the process anyway.
    }
  }
  try {
    mkdirSync(dirname(directory), { recursive: true })
    appendFileSync(path, encode(claim))
    const holder = holderOf(path)
    if (holder?.id === claim.id) {
      shorten(path, claim)
      return release
    }
    release()
    throw new AppError('RESOURCE_CONFLICT', `${directory} is in use by process ${holder?.pid ?? 'unknown'}: stop it first, or choose another data directory`, {
      details: { pid: holder?.pid },
    })
  } catch (error) {
    throw explained(error, dirname(directory))
  }
}

/** The holder's line is all that anyone needs to lose against; who reads the old file meanwhile finds the same line there. */
function shorten(path: string, claim: Line): void {
  const fresh = `${path}.${claim.id}`
  writeFileSync(fresh, encode(claim))
  renameSync(fresh, path)
}
