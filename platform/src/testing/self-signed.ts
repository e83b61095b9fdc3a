import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A key and a certificate (both PEM) that vouches for itself, for servers that tests talk TLS to. */
export interface SelfSigned {
  readonly key: string
  readonly cert: string
}

const SEQUENCE = 0x30
const OID = { commonName: '550403', ecdsaWithSha256: '2a8648ce3d040302', subjectAltName: '551d11', basicConstraints: '551d13' } as const

/** One DER element: tag, length, content (ITU-T X.690, section 8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const digits = content.length.toString(16)
  const length = content.length < 128 ? Buffer.from([content.length]) : Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.from([tag]), ...(content.length < 128 ? [] : [Buffer.from([0x80 | length.length])]), length, content])
}

const oid = (id: keyof typeof OID): Buffer => der(0x06, Buffer.from(OID[id], 'hex'))
const algorithm = der(SEQUENCE, oid('ecdsaWithSha256'))
const bitString = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes)
const octets = (...parts: readonly Buffer[]): Buffer => der(0x04, ...parts)
const generalizedTime = (text: string): Buffer => der(0x18, Buffer.from(text))

/** An authority that tests make themselves, and certificates of it. */
export interface Authority {
  /** PEM. */
  readonly ca: string
  /** For servers of these names and addresses, and for clients. */
  issue(names: readonly string[]): SelfSigned
}

interface Subject {
  readonly commonName: string
  readonly names: readonly string[]
  /** Null for one that vouches for itself. */
  readonly issuer: { readonly commonName: string; readonly privateKey: KeyObject } | null
}

/** A certificate for `names`, valid until 2100. */
export const selfSigned = (names: readonly string[]): SelfSigned => pemOf(certify({ commonName: 'millrace test', names, issuer: null }))

export function createAuthority(): Authority {
  const commonName = 'millrace test authority'
  const own = certify({ commonName, names: [], issuer: null })
  const issuer = { commonName, privateKey: own.privateKey }
  return { ca: pemOf(own).cert, issue: (names) => pemOf(certify({ commonName: 'millrace test service', names, issuer })) }
}

const nameOf = (commonName: string): Buffer => der(SEQUENCE, der(0x31, der(SEQUENCE, oid('commonName'), der(0x0c, Buffer.from(commonName)))))
const alternativeOf = (name: string): Buffer => (isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)))

/** A certificate (RFC 5280) in DER, and its key. */
function certify({ commonName, names, issuer }: Subject): { certificate: Buffer; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const alternatives = der(SEQUENCE, oid('subjectAltName'), octets(der(SEQUENCE, ...names.map(alternativeOf))))
  const authority = der(SEQUENCE, oid('basicConstraints'), der(0x01, Buffer.from([0xff])), octets(der(SEQUENCE, der(0x01, Buffer.from([0xff])))))
  const extensions = [...(issuer ? [] : [authority]), ...(names.length > 0 ? [alternatives] : [])]
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, randomSerial()),
    algorithm,
    nameOf(issuer?.commonName ?? commonName),
    der(SEQUENCE, generalizedTime('20200101000000Z'), generalizedTime('21000101000000Z')),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  )
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey)
  return { certificate: der(SEQUENCE, body, algorithm, bitString(signature)), privateKey }
}

/** Positive, as DER asks for. */
const randomSerial = (): Buffer => Buffer.concat([Buffer.from([1]), randomBytes(8)])

function pemOf({ certificate, privateKey }: { certificate: Buffer; privateKey: KeyObject }): SelfSigned {
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  }
}
