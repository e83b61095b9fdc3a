import { randomBytes } from 'node:crypto'
import { rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

type Settings = Readonly<Record<string, string | undefined>>

/** Keys that must outlive the process, by their setting: what webhook secrets are encrypted with, and what stands for hashed features in the inference log. */
const FILES = { REGISTRY_WEBHOOK_KEY: 'webhook-key', INFERENCE_LOG_HASH_KEY: 'log-hash-key' } as const

/**
 * The settings that name such keys: made once, readable by their owner alone. Nothing where the user gave one. Without these files stored secrets cannot be read
 * again and logged features are other ones than before, so a copy of the data folder needs them too.
 */
export async function keptKeysIn(root: string, env: Settings): Promise<Readonly<Record<string, string>>> {
  const settings: Record<string, string> = {}
  for (const [name, file] of Object.entries(FILES)) {
    if (env[name] || env[`${name}_FILE`]) continue
    const path = join(root, file)
    await makeOnce(path)
    settings[`${name}_FILE`] = path
  }
  return settings
}

async function makeOnce(path: string): Promise<void> {
  if (await stat(path).catch(() => null)) return
  // Renamed when it is whole: half a key would be taken for the key.
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true })
  await rename(draft, path)
}
