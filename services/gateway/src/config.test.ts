import { readConfig } from '@millrace/platform/config.ts'
import { expect, test } from 'vitest'
import { assertBindAllowed } from './access/bind.ts'
import { gatewayConfig } from './config.ts'

test('without settings the gateway is for this machine alone, with limits', () => {
  expect(readConfig(gatewayConfig, {})).toMatchObject({ HOST: '127.0.0.1', GATEWAY_ALLOWED_HOSTS: [], GATEWAY_MAX_PREDICT_BYTES: 10_485_760 })
})

test('further names are a list', () => {
  expect(readConfig(gatewayConfig, { GATEWAY_ALLOWED_HOSTS: 'Millrace.test:9000, other' }).GATEWAY_ALLOWED_HOSTS).toEqual(['millrace.test:9000', 'other'])
})

test('an administrator key that is too short is refused without being shown', () => {
  expect(() => readConfig(gatewayConfig, { MILLRACE_ADMIN_KEY: 'hunter2' })).toThrow(/MILLRACE_ADMIN_KEY/)
  expect(() => readConfig(gatewayConfig, { MILLRACE_ADMIN_KEY: 'hunter2' })).not.toThrow(/hunter2/)
})

test.each(['0.0.0.0', '::', '192.168.1.7', 'millrace.example'])('%s is listened on only with authentication', (host) => {
  expect(() => assertBindAllowed(host, false)).toThrow(/^The gateway does not listen on [^\n]+$/)
  expect(() => assertBindAllowed(host, true)).not.toThrow()
})

test('loopback needs no authentication', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1']) expect(() => assertBindAllowed(host, false)).not.toThrow()
})
