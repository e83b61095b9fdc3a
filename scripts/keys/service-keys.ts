import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ServiceKeys {
  /** By service name. */
  readonly privateKeys: Readonly<Record<string, JsonWebKey>>
  readonly publicKeys: Readonly<Record<string, JsonWebKey>>
}

/** A fresh Ed25519 pair for each service, as JSON Web Keys (RFC 8037). */
export function generateServiceKeys(services: readonly string[]): ServiceKeys {
  const pairs = services.map((service) => [service, generateKeyPairSync('ed25519')] as const)
  return {
    privateKeys: Object.fromEntries(pairs.map(([service, { privateKey }]) => [service, privateKey.export({ format: 'jwk' })])),
    publicKeys: Object.fromEntries(pairs.map(([service, { publicKey }]) => [service, publicKey.export({ format: 'jwk' })])),
  }
}

/** The settings that name a service's keys, for its environment. */
export interface KeyFiles {
  readonly SERVICE_PRIVATE_KEY_FILE: string
  readonly SERVICE_PUBLIC_KEYS_FILE: string
}

/** Keys in files that their owner alone may read, made at the first call and kept; made anew when a service is missing among them. */
export function keepServiceKeys(directory: string, services: readonly string[]): (service: string) => KeyFiles {
  const publicFile = join(directory, 'public.json')
  const privateFile = (service: string): string => join(directory, `${service}.json`)
  if (!services.every((service) => existsSync(privateFile(service)) && namesIn(publicFile).includes(service))) {
    const { privateKeys, publicKeys } = generateServiceKeys(services)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    for (const service of services) writeFileSync(privateFile(service), JSON.stringify(privateKeys[service]), { mode: 0o600 })
    writeFileSync(publicFile, JSON.stringify(publicKeys), { mode: 0o600 })
  }
  return (service) => ({ SERVICE_PRIVATE_KEY_FILE: privateFile(service), SERVICE_PUBLIC_KEYS_FILE: publicFile })
}

const namesIn = (publicFile: string): string[] => (existsSync(publicFile) ? Object.keys(JSON.parse(readFileSync(publicFile, 'utf8'))) : [])
