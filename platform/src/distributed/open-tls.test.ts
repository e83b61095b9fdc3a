import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../config.ts'
import { createAuthority } from '../testing/self-signed.ts'
import { openTls, requireHttps, tlsSettings } from './open-tls.ts'

const authority = createAuthority()
const right = { ...authority.issue(['registry']), ca: authority.ca }
const wide = /do not belong together or are no PEM/

/** As a service reads them: three files. */
function readFiles(contents: Readonly<Record<'cert' | 'key' | 'ca', string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const write = (name: 'cert' | 'key' | 'ca'): string => {
    const path = join(folder, name)
    writeFileSync(path, contents[name])
    return path
  }
  return readConfig(z.object(tlsSettings), { TLS_CERT_FILE: write('cert'), TLS_KEY_FILE: write('key'), TLS_CA_FILE: write('ca') })
}

test('all three files make mutual TLS, none of them plain HTTP', () => {
  expect(openTls(readFiles(right))).toMatchObject({ cert: right.cert.trim(), key: right.key.trim(), ca: right.ca.trim() })
  expect(openTls({})).toBeNull()
})

test('some of the three are refused: a service must not be half protected', () => {
  expect(() => openTls({ TLS_CERT: right.cert })).toThrow('missing TLS_KEY_FILE and TLS_CA_FILE: set all of')
})

test('a file that is no PEM is refused, without what is in it', () => {
  expect(() => readFiles({ ...right, key: 'not a key' })).toThrow(/TLS_KEY: .*BEGIN.*kept secret/)
  expect(() => openTls({ TLS_CERT: right.cert, TLS_KEY: right.key, TLS_CA: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' })).toThrow(wide)
})

test('a key of another certificate is refused', () => {
  expect(() => openTls(readFiles({ ...right, key: authority.issue(['registry']).key }))).toThrow(wide)
})

test('with mutual TLS an address in the clear is refused', () => {
  expect(() => requireHttps(right, ['https://a', 'http://b:1'])).toThrow('not at http://b:1: expected https:// addresses')
  expect(() => requireHttps(right, ['https://a'])).not.toThrow()
  expect(() => requireHttps(null, ['http://b:1'])).not.toThrow()
})
