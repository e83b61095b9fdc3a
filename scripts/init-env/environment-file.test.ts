import { createPrivateKey, createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { completeEnvironment } from './environment-file.ts'

const services = ['tracking', 'drift-monitor']

function valuesIn(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const jsonOf = (values: Map<string, string>, name: string) => JSON.parse(values.get(name)?.replace(/^'(.*)'$/, '$1') ?? 'null')

test('an empty file gets every secret, each a different one of at least 16 random bytes', () => {
  const values = valuesIn(completeEnvironment('', services).text)
  const secrets = [...values].filter(([name]) => !name.endsWith('KEYS') && !name.endsWith('PRIVATE_KEY')).map(([, value]) => value)
  expect(secrets).toHaveLength(10)
  expect(new Set(secrets).size).toBe(10)
  for (const secret of secrets) expect(Buffer.from(secret, 'base64url').length).toBeGreaterThanOrEqual(16)
  expect(values.get('MILLRACE_ADMIN_KEY')?.length).toBeGreaterThanOrEqual(32)
})

test('each private key belongs to the public key of its service', () => {
  const values = valuesIn(completeEnvironment('', services).text)
  const publicKeys = jsonOf(values, 'MILLRACE_PUBLIC_KEYS')
  for (const service of services) {
    const key = createPrivateKey({ key: jsonOf(values, `MILLRACE_${service.toUpperCase().replace('-', '_')}_PRIVATE_KEY`), format: 'jwk' })
    expect(createPublicKey(key).export({ format: 'jwk' })).toEqual(publicKeys[service])
    expect(publicKeys[service]).not.toHaveProperty('d')
  }
})

test('what is there is kept, in a file without a last line break too', () => {
  const before = 'MILLRACE_POSTGRES_PASSWORD=mine\n# a remark\nOTHER=1'
  const { text, added } = completeEnvironment(before, services)
  expect(text.startsWith(`${before}\n`)).toBe(true)
  expect(added).not.toContain('MILLRACE_POSTGRES_PASSWORD')
})

test('a complete file stays as it is', () => {
  const { text } = completeEnvironment('', services)
  expect(completeEnvironment(text, services)).toEqual({ text, added: [] })
})

test('a service that is new gets a key, and all others with it', () => {
  const { text } = completeEnvironment('', ['tracking'])
  const grown = completeEnvironment(text, services)
  expect(grown.added).toEqual(['MILLRACE_PUBLIC_KEYS', 'MILLRACE_TRACKING_PRIVATE_KEY', 'MILLRACE_DRIFT_MONITOR_PRIVATE_KEY'])
  expect(grown.text.match(/^MILLRACE_TRACKING_PRIVATE_KEY=/gm)).toHaveLength(1)
})
