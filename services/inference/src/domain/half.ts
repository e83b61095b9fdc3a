const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/**
 * The nearest IEEE 754 binary16 to a number, ties to even, as its 16 bits; infinity (0x7c00) where it is out of range, a quiet NaN (0x7e00) for NaN.
 * Rounding goes through binary32 with the lost part kept as a sticky bit, so that a double is rounded once.
 */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  float[0] = value
  const word = bits[0] ?? 0
  const sign = (word >>> 16) & 0x8000
  const magnitude = stickyMagnitude(value, word & 0x7fffffff)
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x38800000) return sign | subnormal(magnitude)
  return sign | roundShift(magnitude - 0x38000000, 13)
}

/** Binary32 rounded towards zero with its last bit set when something was lost. */
function stickyMagnitude(value: number, magnitude: number): number {
  const rounded = float[0] ?? 0
  if (Object.is(rounded, value)) return magnitude
  const truncated = Math.abs(rounded) > Math.abs(value) ? magnitude - 1 : magnitude
  return truncated | 1
}

function subnormal(magnitude: number): number {
  const exponent = magnitude >>> 23
  const shift = 126 - exponent
  if (shift > 24) return 0
  return roundShift((magnitude & 0x7fffff) | 0x800000, shift)
}

function roundShift(value: number, shift: number): number {
  const kept = value >>> shift
  const rest = value & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept
}

/** The number that the 16 bits of a binary16 stand for. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
