import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSecretSeal, SecretUnreadable } from './secret-seal.ts'

const key = randomBytes(32)
const seal = createSecretSeal(key.toString('hex'))

test('what was sealed is read again with the same key, in either spelling', () => {
  const sealed = seal.seal('s3cret ü', 'w1')
  expect(seal.open(sealed, 'w1')).toBe('s3cret ü')
  expect(createSecretSeal(key.toString('base64')).open(sealed, 'w1')).toBe('s3cret ü')
})

test('the same secret looks different each time', () => {
  expect(seal.seal('s3cret', 'w1').equals(seal.seal('s3cret', 'w1'))).toBe(false)
})

test('another key, another webhook, a changed byte and a cut end are refused', () => {
  const sealed = seal.seal('s3cret', 'w1')
  expect(() => createSecretSeal(randomBytes(32).toString('hex')).open(sealed, 'w1')).toThrow(SecretUnreadable)
  expect(() => createSecretSeal(undefined).open(sealed, 'w1')).toThrow(SecretUnreadable)
  expect(() => seal.open(sealed, 'w2')).toThrow(SecretUnreadable)
  expect(() => seal.open(sealed.subarray(0, -1), 'w1')).toThrow(SecretUnreadable)
  expect(() => seal.open(sealed.subarray(0, 20), 'w1')).toThrow(SecretUnreadable)
  for (let index = 1; index < sealed.length; index++) {
    const changed = Buffer.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => seal.open(changed, 'w1')).toThrow(SecretUnreadable)
  }
})
