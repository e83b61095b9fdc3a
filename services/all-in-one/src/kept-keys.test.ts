import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inferenceConfig } from '@millrace/inference'
import { readConfig } from '@millrace/platform/config.ts'
import { registryConfig } from '@millrace/registry'
import { expect, onTestFinished, test } from 'vitest'
import { keptKeysIn } from './kept-keys.ts'

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'kept-keys-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

test('keys are made once, for their owner alone, and their services take them', async () => {
  const root = await folder()
  const settings = await keptKeysIn(root, {})
  const keyIn = async (file: string): Promise<string> => (await readFile(join(root, file), 'utf8')).trim()
  const keys = [await keyIn('webhook-key'), await keyIn('log-hash-key')]
  for (const file of ['webhook-key', 'log-hash-key']) expect((await stat(join(root, file))).mode & 0o777).toBe(0o600)
  expect([readConfig(registryConfig, settings).REGISTRY_WEBHOOK_KEY, readConfig(inferenceConfig, settings).INFERENCE_LOG_HASH_KEY]).toEqual(keys)
  expect(await keptKeysIn(root, {})).toEqual(settings)
  expect([await keyIn('webhook-key'), await keyIn('log-hash-key')]).toEqual(keys)
})

test('a key that the user gives is left alone', async () => {
  const root = await folder()
  expect(await keptKeysIn(root, { REGISTRY_WEBHOOK_KEY: 'x', INFERENCE_LOG_HASH_KEY: 'y' })).toEqual({})
  expect(await keptKeysIn(root, { REGISTRY_WEBHOOK_KEY_FILE: '/run/secrets/key', INFERENCE_LOG_HASH_KEY: 'y' })).toEqual({})
  await expect(stat(join(root, 'webhook-key'))).rejects.toThrow('ENOENT')
})

test('a key of another length is refused and not shown', () => {
  expect(() => readConfig(registryConfig, { REGISTRY_WEBHOOK_KEY: 'too-short' })).toThrow(/REGISTRY_WEBHOOK_KEY: expected (?!.*too-short)/)
})
