import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** 2^15 rounds of 8 blocks: 32 MiB and some 80 ms (RFC 7914; OWASP's second choice, which leaves a small machine alive). */
const COST = 15
const BLOCKS = 8
const LANES = 1
const HASH_BYTES = 32
const SALT_BYTES = 16
const MAX_MEMORY = 64 * 1_048_576

interface Parameters {
  readonly cost: number
  readonly blocks: number
  readonly lanes: number
}

function derive(password: string, salt: Buffer, { cost, blocks, lanes }: Parameters): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = { N: 2 ** cost, r: blocks, p: lanes, maxmem: MAX_MEMORY }
  scrypt(password.normalize('NFC'), salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  return promise
}

/** `scrypt$<log2 of the cost>$<blocks>$<lanes>$<salt>$<hash>`, both in base64url: what was hashed with other parameters can still be checked. */
export async function hashPassword(password: string, salt: Buffer = randomBytes(SALT_BYTES)): Promise<string> {
  const key = await derive(password, salt, { cost: COST, blocks: BLOCKS, lanes: LANES })
  return ['scrypt', COST, BLOCKS, LANES, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Takes as long where there is no hash: an answer that comes sooner would tell which names exist. */
export async function checkPassword(password: string, hash: string | null): Promise<boolean> {
  const [, cost = COST, blocks = BLOCKS, lanes = LANES, salt = '', key = ''] = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]+)$/.exec(hash ?? '') ?? []
  const derived = await derive(password, Buffer.from(salt, 'base64url'), { cost: Number(cost), blocks: Number(blocks), lanes: Number(lanes) })
  const expected = Buffer.from(key, 'base64url')
  return expected.length === derived.length && timingSafeEqual(expected, derived)
}
