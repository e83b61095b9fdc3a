import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { acquireDirectoryLock } from './directory-lock.ts'
import { processIdentity } from './process-identity.ts'

let place = ''
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'millrace-lock-'))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

const failureOf = (directory: string): unknown => {
  try {
    acquireDirectoryLock(directory)
    return null
  } catch (error) {
    return error
  }
}

test('a second claim is refused with the process that holds it, until the first is released', () => {
  const directory = join(place, 'new/folder/database')
  const release = acquireDirectoryLock(directory)
  expect(failureOf(directory)).toMatchObject({ code: 'RESOURCE_CONFLICT', message: expect.stringContaining(`process ${process.pid}`) })
  release()
  acquireDirectoryLock(directory)()
})

test('a refused claim does not stay in the way', () => {
  const directory = join(place, 'database')
  const release = acquireDirectoryLock(directory)
  failureOf(directory)
  failureOf(directory)
  release()
  expect(failureOf(directory)).toBeNull()
})

test.each([
  ['a dead process', 'claim dead 999999999 boot:1'],
  ['another process that had our number before', `claim reused ${process.pid} boot:1`],
  ['a line cut short by a crash', 'claim half'],
])('the claim of %s does not count, and is cleaned up', (_what, line) => {
  const directory = join(place, 'database')
  writeFileSync(`${directory}.lock`, `${line}\n`)
  expect(failureOf(directory)).toBeNull()
  expect(readFileSync(`${directory}.lock`, 'utf8').trim().split('\n')).toHaveLength(1)
})

test('a full disk says so', () => {
  const directory = join(place, 'database')
  symlinkSync('/dev/full', `${directory}.lock`)
  expect(failureOf(directory)).toMatchObject({ code: 'STORAGE_FULL', message: expect.stringContaining('full') })
})

test('a data folder that is a file says so', () => {
  writeFileSync(join(place, 'file'), '')
  const failure = failureOf(join(place, 'file', 'database'))
  expect(failure).toBeInstanceOf(AppError)
  expect(failure).toMatchObject({ code: 'PERMISSION_DENIED' })
})

test('a process has one identity while it lives, and a dead one has none', () => {
  expect(processIdentity(process.pid)).toBe(processIdentity(process.pid))
  expect(processIdentity(process.pid)).not.toBeNull()
  expect(processIdentity(999_999_999)).toBeNull()
})
