/** A seeded source of numbers: the same key gives the same sequence on every machine. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  next(): number
  /** Standard normal (Box-Muller). */
  normal(): number
  /** The numbers 0 to count - 1 in random order (Fisher-Yates). */
  permutation(count: number): Int32Array
}

/** FNV-1a, 32 bits. */
function hash(key: string): number {
  let state = 0x811c9dc5
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ key.charCodeAt(i), 0x01000193)
  return state >>> 0
}

/**
 * `purpose` keeps the streams apart: initial weights, order and dropout do not shift each other.
 * The generator is mulberry32, on integers alone, so that a seed means the same numbers everywhere.
 */
export function seededRandom(seed: number, purpose: string): SeededRandom {
  let state = hash(`${seed}/${purpose}`)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const permutation = (count: number) => {
    const order = Int32Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1))
      const kept = order[i] ?? 0
      order[i] = order[j] ?? 0
      order[j] = kept
    }
    return order
  }
  return { next, normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()), permutation }
}
