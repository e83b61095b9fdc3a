import { expect, test } from 'vitest'
import { publicBase } from './public-base.ts'

test.each([
  ['https://models.example.org/', {}, 'https://models.example.org'],
  [undefined, { host: '127.0.0.1:5000' }, 'http://127.0.0.1:5000'],
  [undefined, { host: 'tracking:8080', 'x-forwarded-host': 'models.example.org', 'x-forwarded-proto': 'https' }, 'https://models.example.org'],
  [undefined, { host: '[::1]:5000' }, 'http://[::1]:5000'],
])('configured %s and called by %j it is %s', (configured, headers, base) => {
  expect(publicBase(configured, headers)).toBe(base)
})

test.each(['a b', 'x/y', 'x@y', '', 'x:99999999'])('the host %j is refused', (host) => {
  expect(() => publicBase(undefined, { host })).toThrow('Host header')
})
