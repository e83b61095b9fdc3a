import { randomBytes } from 'node:crypto'
import { rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

type Settings = Readonly<Record<string, string | undefined>>

/**
 * The settings that name the key which webhook secrets are encrypted with: made once, readable by its owner alone. Nothing where the user gave a key. Without
 * this file the stored secrets cannot be read again, so a copy of the data folder needs it too.
 */
export async function webhookKeyIn(root: string, env: Settings): Promise<Readonly<Record<string, string>>> {
  if (env['REGISTRY_WEBHOOK_KEY'] || env['REGISTRY_WEBHOOK_KEY_FILE']) return {}
  const path = join(root, 'webhook-key')
  const known = await stat(path).catch(() => null)
  if (!known) {
    // Renamed when it is whole: half a key would be taken for the key.
    const draft = `${path}.${process.pid}`
    await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true })
    await rename(draft, path)
  }
  return { REGISTRY_WEBHOOK_KEY_FILE: path }
}
