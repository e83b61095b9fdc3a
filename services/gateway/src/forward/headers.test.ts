import { expect, test } from 'vitest'
import { forwardedHeaders } from './headers.ts'

const about = { token: 't', requestId: 'r', address: '10.0.0.7', secure: true }

test('services are told the host and the scheme by which the gateway was called, whatever the client says of them', () => {
  const incoming = { host: 'models.example.org', 'x-forwarded-host': 'evil.example.org', 'x-forwarded-proto': 'http', authorization: 'Basic x', accept: 'a/b' }
  expect(forwardedHeaders(incoming, about)).toMatchObject({
    'x-forwarded-host': 'models.example.org',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '10.0.0.7',
    authorization: 'Bearer t',
    accept: 'a/b',
  })
  expect(forwardedHeaders({}, { ...about, secure: false })).toMatchObject({ 'x-forwarded-proto': 'http' })
  expect(forwardedHeaders({ 'x-forwarded-host': 'evil.example.org' }, about)).not.toHaveProperty('x-forwarded-host')
})
