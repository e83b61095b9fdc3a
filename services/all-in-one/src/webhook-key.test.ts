import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '@millrace/platform/config.ts'
import { registryConfig } from '@millrace/registry'
import { expect, onTestFinished, test } from 'vitest'
import { webhookKeyIn } from './webhook-key.ts'

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'webhook-key-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

test('a key is made once, for its owner alone, and the registry takes it', async () => {
  const root = await folder()
  const settings = await webhookKeyIn(root, {})
  const key = await readFile(join(root, 'webhook-key'), 'utf8')
  expect((await stat(join(root, 'webhook-key'))).mode & 0o777).toBe(0o600)
  expect(readConfig(registryConfig, settings).REGISTRY_WEBHOOK_KEY).toBe(key.trim())
  expect(await webhookKeyIn(root, {})).toEqual(settings)
  expect(await readFile(join(root, 'webhook-key'), 'utf8')).toBe(key)
})

test('a key that the user gives is left alone', async () => {
  const root = await folder()
  expect(await webhookKeyIn(root, { REGISTRY_WEBHOOK_KEY: 'x' })).toEqual({})
  expect(await webhookKeyIn(root, { REGISTRY_WEBHOOK_KEY_FILE: '/run/secrets/key' })).toEqual({})
  await expect(stat(join(root, 'webhook-key'))).rejects.toThrow('ENOENT')
})

test('a key of another length is refused and not shown', () => {
  expect(() => readConfig(registryConfig, { REGISTRY_WEBHOOK_KEY: 'too-short' })).toThrow(/REGISTRY_WEBHOOK_KEY: expected (?!.*too-short)/)
})
