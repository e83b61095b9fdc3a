import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BUCKETS, bucketOf, bucketText, ownerOf, type SplitCandidate } from './split.ts'

const bucket = (key: string, salt: string | null = 'salt'): number =>
  bucketOf(
    createHash('sha256')
      .update(bucketText('fish', salt, key))
      .digest()
      .readUIntBE(0, 6),
  )
const canary = (weightPercent: number): SplitCandidate => ({ mode: 'canary', weightPercent })
const ab = (weightPercent: number): SplitCandidate => ({ mode: 'ab', weightPercent })
const modeOf = (at: number, candidates: readonly SplitCandidate[]): string => ownerOf(at, candidates)?.mode ?? 'production'
const keys = fc.string()
const weight = fc.integer({ min: 0, max: 100 })

test('the same key always goes to the same arm', () => {
  fc.assert(
    fc.property(keys, weight, (key, share) => {
      expect(modeOf(bucket(key), [canary(share)])).toBe(modeOf(bucket(key), [canary(share)]))
    }),
  )
  expect(bucket('a key that other pods know too')).toBe(6860)
})

test('raising a weight moves keys only from Production to that candidate', () => {
  fc.assert(
    fc.property(fc.nat(BUCKETS - 1), weight, weight, weight, (at, canaryShare, abShare, more) => {
      fc.pre(canaryShare + abShare + more <= 100)
      const before = modeOf(at, [canary(canaryShare), ab(abShare)])
      expect([before, before === 'production' ? 'canary' : before]).toContain(modeOf(at, [canary(canaryShare + more), ab(abShare)]))
      expect([before, before === 'production' ? 'ab' : before]).toContain(modeOf(at, [canary(canaryShare), ab(abShare + more)]))
    }),
  )
})

test('a candidate owns exactly its weight of the buckets', () => {
  fc.assert(
    fc.property(weight, weight, (first, second) => {
      fc.pre(first + second <= 100)
      const owners = Array.from({ length: BUCKETS }, (_, at) => modeOf(at, [canary(first), ab(second)]))
      expect(owners.filter((mode) => mode === 'canary')).toHaveLength(first * 100)
      expect(owners.filter((mode) => mode === 'ab')).toHaveLength(second * 100)
    }),
    { numRuns: 20 },
  )
})

test('over many keys the share is within four sigma of the weight', () => {
  const n = 20_000
  for (const share of [1, 5, 25, 50]) {
    const hits = Array.from({ length: n }, (_, i) => modeOf(bucket(`user-${i}`), [canary(share)])).filter((mode) => mode === 'canary').length
    const p = share / 100
    expect(Math.abs(hits - n * p)).toBeLessThan(4 * Math.sqrt(n * p * (1 - p)))
  }
})

test('another salt draws other keys, independently of the first', () => {
  const n = 20_000
  const both = Array.from({ length: n }, (_, i) => bucket(`user-${i}`, 'a') < 5000 && bucket(`user-${i}`, 'b') < 5000).filter(Boolean).length
  expect(Math.abs(both - n / 4)).toBeLessThan(4 * Math.sqrt((n * 3) / 16))
})

test('without a salt the name of the model takes its place', () => {
  expect(bucket('key', null)).toBe(bucket('key', 'fish'))
})

test('staging and shadow own no buckets', () => {
  for (let at = 0; at < BUCKETS; at += 100) {
    expect(
      ownerOf(at, [
        { mode: 'staging', weightPercent: 100 },
        { mode: 'shadow', weightPercent: 100 },
      ]),
    ).toBeNull()
  }
})
