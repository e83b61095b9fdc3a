import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireDirectoryLock } from '@millrace/platform/sql/directory-lock.ts'
import { expect, onTestFinished, test } from 'vitest'
import { removeRuntime, writeRuntime } from '../runtime-file.ts'
import { resetData, stopRunning } from './stop.ts'

async function dataFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-stop-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'database'))
  return root
}

function printed(): { lines: string[]; print: (line: string) => void } {
  const lines: string[] = []
  return { lines, print: (line) => void lines.push(line) }
}

test('stop sends no signal to a process that merely has the number of a dead Millrace', async () => {
  const root = await dataFolder()
  const left = { pid: process.pid, identity: 'another boot:1', url: 'http://127.0.0.1:1', startedAt: '2026-01-01T00:00:00.000Z', services: {} }
  await writeFile(join(root, 'runtime.json'), JSON.stringify(left))
  const { lines, print } = printed()
  await stopRunning(root, print)
  expect(lines).toEqual([`no Millrace runs on ${root}`])
})

test('reset leaves the data of a Millrace alone that runs or is still starting', async () => {
  const root = await dataFolder()
  const { lines, print } = printed()
  await writeRuntime(root, { pid: process.pid, url: 'http://127.0.0.1:1', startedAt: '2026-01-01T00:00:00.000Z', services: {} })
  await expect(resetData(root, print)).rejects.toThrow(`process ${process.pid} runs on ${root}`)
  await removeRuntime(root)
  const release = acquireDirectoryLock(join(root, 'database'))
  await expect(resetData(root, print)).rejects.toThrow(`is in use by process ${process.pid}`)
  release()
  await resetData(root, print)
  expect(lines).toEqual([`deleted ${root}`])
  await expect(access(root)).rejects.toThrow()
  await resetData(root, print)
  expect(lines.at(-1)).toBe(`nothing to reset: ${root} holds no Millrace`)
})
