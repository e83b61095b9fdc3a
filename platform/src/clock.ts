import { randomFillSync } from 'node:crypto'

/** The present time. Decisions get it as a value; only adapters and use cases hold the clock. */
export type Clock = () => Date
/** A new UUIDv7 (RFC 9562): sorts by time of creation. */
export type NewId = () => string

export const systemClock: Clock = () => new Date()

/** Drawn in advance: asking for 16 bytes takes as long as asking for thousands. */
const POOL = Buffer.alloc(16 * 256)
let used = POOL.length

function sixteenRandomBytes(): Buffer {
  if (used === POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += 16
  return Buffer.from(POOL.subarray(used - 16, used))
}

export const newUuidV7: NewId = () => {
  const bytes = sixteenRandomBytes()
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
