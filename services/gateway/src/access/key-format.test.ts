import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKey, digestOf, readKeyId } from './key-format.ts'

test('a key has parts of fixed width, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), (bytes) => {
      const { key, keyId, sha256 } = createKey((count) => Buffer.from(bytes.slice(0, count)))
      expect(key).toMatch(/^mlr_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$/)
      expect(readKeyId(key)).toBe(keyId)
      expect(sha256).toEqual(digestOf(key))
    }),
  )
})

test('a mistyped key is told by its checksum', () => {
  const { key } = createKey(() => Buffer.alloc(32, 7))
  fc.assert(
    fc.property(fc.integer({ min: 4, max: key.length - 1 }), fc.constantFrom('a', 'Z', '3', '_'), (at, character) => {
      fc.pre(key[at] !== character)
      expect(readKeyId(key.slice(0, at) + character + key.slice(at + 1))).toBeNull()
    }),
  )
})

test('two keys are never the same', () => {
  expect(createKey().key).not.toBe(createKey().key)
})
