import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('loads in plain Node, which sees fewer named exports of the client than a bundler does', async () => {
  const files = ['kafka-log.ts', 'ensure-topics.ts', 'settings.ts'].map((file) => new URL(file, import.meta.url).href)
  const program = `await Promise.all(${JSON.stringify(files)}.map((file) => import(file))); console.log('loaded')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toBe('loaded\n')
})
