import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseEvictions, type Resident } from './choose-evictions.ts'

const resident = (key: string, change: Partial<Resident> = {}): Resident => ({
  model: 'm',
  key,
  bytes: 10,
  worth: 'production',
  lastUsedMs: 0,
  inFlight: 0,
  ...change,
})
const keys = (chosen: Resident[] | null) => chosen?.map(({ key }) => key) ?? null
const at = { nowMs: 1000, idleMs: 100 }

test('what is kept for a rollback goes before candidates, those before Production, and within them the least recently used', () => {
  const all = [
    resident('new', { lastUsedMs: 500 }),
    resident('old', { lastUsedMs: 100 }),
    resident('canary', { worth: 'candidate' }),
    resident('kept', { worth: 'kept', lastUsedMs: 999 }),
  ]
  expect(keys(chooseEvictions(all, 40, at))).toEqual(['kept', 'canary', 'old', 'new'])
  expect(keys(chooseEvictions(all, 11, at))).toEqual(['kept', 'canary'])
  expect(keys(chooseEvictions(all, 0, at))).toEqual([])
})

test('what has traffic stays, and where the rest is not enough nothing goes', () => {
  const all = [resident('busy', { inFlight: 1 }), resident('recent', { lastUsedMs: 950 }), resident('idle')]
  expect(keys(chooseEvictions(all, 10, at))).toEqual(['idle'])
  expect(chooseEvictions(all, 11, at)).toBeNull()
})

test('whatever is resident: enough is freed or nothing, and nothing that is in use goes', () => {
  const residents = fc.uniqueArray(
    fc.record({
      model: fc.constant('m'),
      key: fc.string(),
      bytes: fc.nat(50),
      worth: fc.constantFrom('kept' as const, 'candidate' as const, 'production' as const),
      lastUsedMs: fc.nat(1000),
      inFlight: fc.nat(1),
    }),
    { selector: ({ key }) => key },
  )
  fc.assert(
    fc.property(residents, fc.nat(300), (all, needed) => {
      const chosen = chooseEvictions(all, needed, at)
      const gone = chosen ?? []
      if (chosen) expect(gone.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(needed)
      for (const { inFlight, worth, lastUsedMs } of gone) {
        expect(inFlight).toBe(0)
        if (worth !== 'kept') expect(1000 - lastUsedMs).toBeGreaterThanOrEqual(100)
      }
    }),
    { numRuns: 200, seed: 7 },
  )
})
