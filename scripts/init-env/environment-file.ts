import { randomBytes } from 'node:crypto'
import { generateServiceKeys } from '../keys/service-keys.ts'

const secret = (): string => randomBytes(32).toString('base64url')

/** A UUID in 22 characters of base64url, as Kafka writes them; one that began with a dash would be taken for an option. */
const clusterId = (): string => `M${randomBytes(16).toString('base64url').slice(1)}`

/** What docker-compose.yml asks for. Nothing here has a default anywhere. */
const secrets: readonly (readonly [string, () => string])[] = [
  ['MILLRACE_ADMIN_KEY', secret],
  ['MILLRACE_POSTGRES_PASSWORD', secret],
  ['MILLRACE_REDIS_PASSWORD', secret],
  ['MILLRACE_KAFKA_PASSWORD', secret],
  ['MILLRACE_KAFKA_CLUSTER_ID', clusterId],
  ['MILLRACE_S3_ROOT_SECRET', secret],
  ['MILLRACE_S3_SECRET', secret],
  ['MILLRACE_GRAFANA_PASSWORD', secret],
  ['MILLRACE_WEBHOOK_KEY', () => randomBytes(32).toString('hex')],
  ['MILLRACE_LOG_HASH_KEY', secret],
]

const PUBLIC_KEYS = 'MILLRACE_PUBLIC_KEYS'
const privateKeyOf = (service: string): string => `MILLRACE_${service.toUpperCase().replaceAll('-', '_')}_PRIVATE_KEY`

const namesIn = (text: string): string[] => text.split('\n').flatMap((line) => /^([A-Z0-9_]+)=./.exec(line)?.[1] ?? [])

/**
 * The text of an `.env` file with every generated setting that it lacks. What is there is kept: a data volume knows its old password only. The services' keys
 * belong together and are made together: when one is missing, all are new.
 */
export function completeEnvironment(before: string, services: readonly string[]): { text: string; added: readonly string[] } {
  const there = new Set(namesIn(before))
  const lines = secrets.filter(([name]) => !there.has(name)).map(([name, make]) => [name, make()] as const)
  const keyNames = [PUBLIC_KEYS, ...services.map(privateKeyOf)]
  const keys = keyNames.every((name) => there.has(name)) ? [] : keyLines(services)
  const kept = keys.length === 0 ? before : withoutLines(before, keyNames)
  const added = [...lines, ...keys]
  const start = kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`
  return { text: start + added.map(([name, value]) => `${name}=${value}\n`).join(''), added: added.map(([name]) => name) }
}

/** Single quotes: a value is JSON, and nothing in it is to be replaced. */
function keyLines(services: readonly string[]): (readonly [string, string])[] {
  const { privateKeys, publicKeys } = generateServiceKeys(services)
  const quoted = (value: unknown): string => `'${JSON.stringify(value)}'`
  return [[PUBLIC_KEYS, quoted(publicKeys)], ...services.map((service) => [privateKeyOf(service), quoted(privateKeys[service])] as const)]
}

const withoutLines = (text: string, names: readonly string[]): string =>
  text
    .split('\n')
    .filter((line) => !names.includes(line.split('=')[0] ?? ''))
    .join('\n')
