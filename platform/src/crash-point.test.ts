import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'millrace-crash-point-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const program = `
  const { crashPoint } = await import(${JSON.stringify(new URL('./crash-point.ts', import.meta.url).href)})
  crashPoint('after_send')
  process.stdout.write('went on')
`

function passPoint(env: Record<string, string>): { signal: string | null; said: string } {
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env: { ...process.env, ...env } })
  return { signal, said: stdout }
}

test('a process passes every point unless it is told to crash at one', () => {
  expect(passPoint({})).toEqual({ signal: null, said: 'went on' })
  expect(passPoint({ CRASH_AT: 'mid_reload' })).toEqual({ signal: null, said: 'went on' })
})

test('the process is killed at the point that is named', () => {
  expect(passPoint({ CRASH_AT: 'after_send' })).toEqual({ signal: 'SIGKILL', said: '' })
})

test('with a file it is killed once: the process in its place goes on', () => {
  const file = join(directory, 'once')
  expect(passPoint({ CRASH_AT: 'after_send', CRASH_ONCE_FILE: file }).signal).toBe('SIGKILL')
  expect(existsSync(file)).toBe(true)
  expect(passPoint({ CRASH_AT: 'after_send', CRASH_ONCE_FILE: file }).said).toBe('went on')
})
