import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanArtifactPath } from './artifact-path.ts'

test.each([
  ['model/MLmodel', 'model/MLmodel'],
  ['a b/ü.txt', 'a b/ü.txt'],
  ['a//b/./c/', 'a/b/c'],
  ['', ''],
  ['100%.txt', '100%.txt'],
  ['a%20b', 'a%20b'],
  ['..a/b..', '..a/b..'],
  ['....', '....'],
  ['time 12:30.txt', 'time 12:30.txt'],
])('%j is kept as %j', (raw, path) => {
  expect(cleanArtifactPath(raw)).toBe(path)
})

const once = (text: string): string => text.replaceAll(/[^a-z]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
const encoded = (text: string, rounds: number): string => (rounds === 0 ? text : encoded(once(text), rounds - 1))

test.each([0, 1, 2, 3, 9])('a step out of the root is refused, encoded %d times', (rounds) => {
  expect(cleanArtifactPath(encoded('a/../../etc/passwd', rounds))).toBeNull()
  expect(cleanArtifactPath(`a/${encoded('..', rounds)}/b`)).toBeNull()
})

test.each([
  '..',
  '%2e%2e',
  '..%5c',
  '..\\x',
  'a#b',
  'a%23b',
  '/etc/passwd',
  '%2fetc',
  'C:/x',
  'c%3a/x',
  'file:///etc',
  'http://host/x',
  'a\0b',
  'a%00b',
  'a\nb',
  '%2e%2e/%ff',
  './%2f',
  './C:/x',
  'x'.repeat(1025),
])('%j is refused', (raw) => {
  expect(cleanArtifactPath(raw)).toBeNull()
})

test('more rounds of encoding than anybody needs are refused', () => {
  const nested = (rounds: number): string => `%${'25'.repeat(rounds)}20`
  expect(cleanArtifactPath(nested(8))).toBe(nested(8))
  expect(cleanArtifactPath(nested(9))).toBeNull()
})

test('a path that is kept is kept again, and stays inside', () => {
  const part = fc.constantFrom('a', '..', '.', '/', '%', '%2e', '%2f', '%25', '2e', '\\', ' ', 'é')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
      ),
      (raw) => {
        const path = cleanArtifactPath(raw)
        if (path === null) return
        expect(cleanArtifactPath(path)).toBe(path)
        expect(path.split('/')).not.toContain('..')
        expect(path.startsWith('/')).toBe(false)
      },
    ),
    { numRuns: 2000 },
  )
})
