import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../config.ts'
import { connectionFrom, kafkaSettings } from './settings.ts'

const read = (env: Record<string, string>) => readConfig(z.object(kafkaSettings), env)

test('brokers alone are a plain connection', () => {
  const connection = connectionFrom(read({ KAFKA_BROKERS: 'a:9092, b:9093' }), 'registry')
  expect(connection).toEqual({ brokers: ['a:9092', 'b:9093'], clientId: 'registry', tls: null, sasl: null })
})

test('TLS and a mechanism with name and password', () => {
  const env = { KAFKA_BROKERS: 'a:1', KAFKA_TLS: 'true', KAFKA_CA: 'pem', KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' }
  const connection = connectionFrom(read(env), 'registry')
  expect(connection).toMatchObject({ tls: { ca: 'pem' }, sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' } })
})

test.each(['', 'a', 'a:', 'a:b', 'a:1,,b:2'])('%j names no brokers', (brokers) => {
  expect(() => read({ KAFKA_BROKERS: brokers })).toThrow('KAFKA_BROKERS')
})

test('a mechanism without a password is refused with what to do', () => {
  const settings = read({ KAFKA_BROKERS: 'a:1', KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: 'u' })
  expect(() => connectionFrom(settings, 'registry')).toThrow('set KAFKA_USERNAME and KAFKA_PASSWORD')
})
