import { randomFillSync } from 'node:crypto'

/** The present time. Decisions get it as a value; only adapters and use cases hold the clock. */
export type Clock = () => Date
/** A new UUIDv7 (RFC 9562): sorts by time of creation. */
export type NewId = () => string

export const systemClock: Clock = () => new Date()

/** Drawn in advance: asking for 16 bytes takes as long as asking for thousands. */
const POOL = Buffer.alloc(16 * 256)
let used = POOL.length

/** Where sixteen bytes begin that nobody has had. */
function takeSixteen(): number {
  if (used === POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += 16
  return used - 16
}

export const newUuidV7: NewId = () => {
  const at = takeSixteen()
  POOL.writeUIntBE(Date.now(), at, 6)
  POOL[at + 6] = 0x70 | ((POOL[at + 6] ?? 0) & 0x0f)
  POOL[at + 8] = 0x80 | ((POOL[at + 8] ?? 0) & 0x3f)
  const hex = POOL.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
