import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority } from '../testing/self-signed.ts'
import { openTls, requireHttps } from './open-tls.ts'

function filesOf(contents: Readonly<Record<'cert' | 'key' | 'ca', string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const write = (name: 'cert' | 'key' | 'ca'): string => {
    const path = join(folder, name)
    writeFileSync(path, contents[name])
    return path
  }
  return { TLS_CERT_FILE: write('cert'), TLS_KEY_FILE: write('key'), TLS_CA_FILE: write('ca') }
}

const authority = createAuthority()
const right = { ...authority.issue(['registry']), ca: authority.ca }

test('all three files make mutual TLS, none of them plain HTTP', () => {
  expect(openTls(filesOf(right))).toEqual(right)
  expect(openTls({})).toBeNull()
})

test('some of the three are refused: a service must not be half protected', () => {
  const { TLS_CERT_FILE } = filesOf(right)
  expect(() => openTls({ TLS_CERT_FILE })).toThrow('missing TLS_KEY_FILE and TLS_CA_FILE: set all of')
})

test('everything that cannot be read is told at once, without what is in it', () => {
  const files = { ...filesOf({ ...right, key: 'no key' }), TLS_CERT_FILE: '/nowhere/cert.pem' }
  expect(() => openTls(files)).toThrow(/TLS_CERT_FILE cannot be read: .*; TLS_KEY_FILE is not a PEM file/)
})

test('a key of another certificate is refused', () => {
  expect(() => openTls(filesOf({ ...right, key: authority.issue(['registry']).key }))).toThrow(/do not belong together or are no PEM/)
})

test('with mutual TLS an address in the clear is refused', () => {
  expect(() => requireHttps(right, ['https://a', 'http://b:1'])).toThrow('not at http://b:1: expected https:// addresses')
  expect(() => requireHttps(right, ['https://a'])).not.toThrow()
  expect(() => requireHttps(null, ['http://b:1'])).not.toThrow()
})
