import { expect, test } from 'vitest'
import type { LogSettings } from './model-settings.ts'
import { redactFeatures } from './redact.ts'

const policy = (change: Partial<LogSettings> = {}): LogSettings => ({ sampleRate: 1, maxFeatures: 10, maxBytes: 1000, redact: new Map(), ...change })
const digest = (text: string) => `<${text.length}>`

test('each feature goes as the policy says: dropped, hashed under a key, shortened, or as it is', () => {
  const redact = new Map([
    ['name', 'drop'],
    ['email', 'hash'],
    ['postcode', 'truncate'],
    ['income', 'truncate'],
  ] as const)
  const features = [
    ['name', 'Ada'],
    ['email', 'ada@example.org'],
    ['postcode', '10437'],
    ['income', 54_321.9],
    ['age', 36],
    ['city', null],
  ] as const
  expect(redactFeatures(features, policy({ redact }), digest)).toMatchObject({
    features: { email: 'hash:<27>', postcode: '104', income: 54_000, age: 36, city: null },
    capped: false,
  })
})

test('a hashed or dropped value never shows, missing values stay missing', () => {
  const redact = new Map([['email', 'hash']] as const)
  expect(redactFeatures([['email', null]], policy({ redact }), digest).features).toEqual({ email: null })
})

test('beyond the caps features are left out, and it is told', () => {
  const many = Array.from({ length: 20 }, (_, index) => [`f${index}`, index] as const)
  expect(Object.keys(redactFeatures(many, policy(), digest).features)).toHaveLength(10)
  expect(redactFeatures(many, policy({ maxBytes: 30 }), digest)).toMatchObject({ features: { f0: 0, f1: 1 }, capped: true })
  expect(redactFeatures([['text', 'x'.repeat(5000)]], policy(), digest)).toEqual({ features: {}, bytes: 0, capped: true })
})
