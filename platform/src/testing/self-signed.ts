import { generateKeyPairSync, sign } from 'node:crypto'

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

/** A certificate (RFC 5280) for `names`, valid until 2100. */
export function selfSigned(names: readonly string[]): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, oid('commonName'), der(0x0c, Buffer.from('millrace test')))))
  const alternatives = der(SEQUENCE, ...names.map((each) => der(0x82, Buffer.from(each))))
  const authority = der(SEQUENCE, oid('basicConstraints'), der(0x01, Buffer.from([0xff])), octets(der(SEQUENCE, der(0x01, Buffer.from([0xff])))))
  const extensions = der(0xa3, der(SEQUENCE, authority, der(SEQUENCE, oid('subjectAltName'), octets(alternatives))))
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(SEQUENCE, generalizedTime('20200101000000Z'), generalizedTime('21000101000000Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signed = der(SEQUENCE, body, algorithm, bitString(sign('sha256', body, privateKey)))
  const lines = signed.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  }
}
