import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Secrets = Readonly<Record<'kafka' | 'keystore' | 'postgres' | 'redis' | 's3', string>>

/** One generated secret per server, made once and kept in `<directory>/secrets.json`, readable by its owner alone. */
export function readSecrets(directory: string): Secrets {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'secrets.json')
  const known: Record<string, string> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const secretOf = (name: string): string => known[name] ?? randomBytes(24).toString('base64url')
  const secrets: Secrets = {
    kafka: secretOf('kafka'),
    keystore: secretOf('keystore'),
    postgres: secretOf('postgres'),
    redis: secretOf('redis'),
    s3: secretOf('s3'),
  }
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  return secrets
}
