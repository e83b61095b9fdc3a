import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../config.ts'
import { inTurn } from './in-turn.ts'
import { openIdentity } from './open-identity.ts'
import { blobsSettings, cacheSettings, databaseSettings, logLevelOf, processSettings, serviceUrls } from './settings.ts'

const settings = z.object({ ...processSettings, ...databaseSettings, ...blobsSettings, ...cacheSettings, REGISTRY_URLS: serviceUrls })

function keysOf(service: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const SERVICE_PUBLIC_KEYS = JSON.stringify({ [service]: publicKey.export({ format: 'jwk' }) })
  return { SERVICE_PRIVATE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })), SERVICE_PUBLIC_KEYS }
}

const complete = {
  ...keysOf('registry'),
  KAFKA_BROKERS: 'one:9092,two:9092',
  DATABASE_URL: 'postgres://user:secret@database/millrace',
  S3_BUCKET: 'millrace',
  REDIS_URL: 'redis://cache:6379',
  REGISTRY_URLS: 'http://one:8080/, http://two:8080',
}

function problemsOf(env: Record<string, string>): string {
  try {
    readConfig(settings, env)
    return ''
  } catch (error) {
    return String(error)
  }
}

test('a complete environment is taken; lists are split and cleaned', () => {
  const config = readConfig(settings, complete)
  expect(config.REGISTRY_URLS).toEqual(['http://one:8080', 'http://two:8080'])
  expect(config.KAFKA_BROKERS).toEqual(['one:9092', 'two:9092'])
  expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 8080, READINESS_DELAY_MS: 5000, OUTBOX_POLL_MS: 50, DATABASE_MIGRATE: true, S3_PREFIX: '' })
})

test('everything that is missing is told at once', () => {
  const told = problemsOf({})
  for (const name of Object.keys(complete)) expect(told).toContain(`${name}: `)
})

test.each([
  ['PORT', '70000'],
  ['REGISTRY_URLS', 'registry:8080'],
  ['REGISTRY_URLS', ','],
  ['DATABASE_URL', 'mysql://x'],
  ['REDIS_URL', 'http://cache'],
  ['S3_ENDPOINT', 'store:7070'],
  ['S3_BUCKET', 'Not A Bucket'],
  ['KAFKA_BROKERS', 'no-port'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '2'],
  ['SERVICE_PRIVATE_KEY', '{"kty":"RSA"}'],
  ['SERVICE_PUBLIC_KEYS', 'not json'],
])('%s=%s is refused by its name', (name, value) => {
  expect(problemsOf({ ...complete, [name]: value })).toContain(`${name}: `)
})

test('a secret that is wrong is not shown', () => {
  expect(problemsOf({ ...complete, SERVICE_PRIVATE_KEY: '{"d":"hunter2"}' })).not.toContain('hunter2')
})

test('a private key that is not the published one is refused: nobody would believe its tokens', () => {
  const own = readConfig(settings, complete)
  expect(openIdentity('registry', own).service).toBe('registry')
  const other = readConfig(settings, { ...complete, SERVICE_PRIVATE_KEY: keysOf('registry').SERVICE_PRIVATE_KEY })
  expect(() => openIdentity('registry', other)).toThrow(/is not the one that SERVICE_PUBLIC_KEYS names for registry/)
  expect(() => openIdentity('tracking', own)).toThrow(/has no key of tracking, only of registry/)
})

test('calls go to the processes of a service in turn', () => {
  const next = inTurn(['http://one', 'http://two'])
  expect([next(), next(), next()]).toEqual(['http://one', 'http://two', 'http://one'])
})

test('a log level that is none is info until the settings say so', () => {
  expect(['debug', 'loud', undefined].map((level) => logLevelOf({ LOG_LEVEL: level }))).toEqual(['debug', 'info', 'info'])
})
