import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Characters that 32 bytes, 8 bytes and a CRC-32 take in base 62, so that every part has a fixed width. */
const SECRET_WIDTH = 43
const ID_WIDTH = 11
const CHECK_WIDTH = 6
const FORM = /^mlr_([0-9A-Za-z]{11})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

/** `mlr_<key id>_<32 random bytes in base 62><CRC-32 in base 62>`: scanners find it, and a mistyped one is told from a revoked one without a look-up. */
export interface NewKey {
  readonly key: string
  readonly keyId: string
  readonly sha256: Buffer
}

export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

export function createKey(random: (bytes: number) => Buffer = randomBytes): NewKey {
  const keyId = base62(BigInt(`0x${random(8).toString('hex')}`), ID_WIDTH)
  const secret = base62(BigInt(`0x${random(32).toString('hex')}`), SECRET_WIDTH)
  const key = `mlr_${keyId}_${secret}${checksum(keyId, secret)}`
  return { key, keyId, sha256: digestOf(key) }
}

/** The key id of a key whose form and checksum hold; null otherwise. */
export function readKeyId(key: string): string | null {
  const [, keyId, secret, check] = FORM.exec(key) ?? []
  if (keyId === undefined || secret === undefined) return null
  return checksum(keyId, secret) === check ? keyId : null
}

const checksum = (keyId: string, secret: string): string => base62(BigInt(crc32(`${keyId}_${secret}`)), CHECK_WIDTH)

function base62(value: bigint, width: number): string {
  let text = ''
  for (let rest = value; rest > 0n; rest /= 62n) text = (BASE62[Number(rest % 62n)] ?? '') + text
  return text.padStart(width, '0')
}
