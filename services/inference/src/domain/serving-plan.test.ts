import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ArmPlan, armsOf, isNewer, type LoadStatus, newArms, planArms, unneeded } from './serving-plan.ts'

const digestOf = (version: string): string => version.padStart(64, '0')
const keyOf = (version: string): string => `${version}@${digestOf(version)}`
const artifactOf = (version: string) => ({ uri: `mem:${version}`, sha256: digestOf(version), sizeBytes: 10, format: 'onnx' })

function state(generation: number, production: string | null, candidates: Record<string, [mode: string, weight: number]> = {}): ServingState {
  return {
    model: 'fish',
    generation,
    salt: 's',
    production: production ? { version: production, runId: null, artifact: artifactOf(production), signature: null } : null,
    candidates: Object.entries(candidates).map(([version, [mode, weightPercent]]) => ({
      version,
      runId: null,
      artifact: artifactOf(version),
      mode,
      weightPercent,
    })),
    changedAt: '2026-01-01T00:00:00.000Z',
  }
}

const status =
  (ready: string[], failed: string[] = []) =>
  (key: string): LoadStatus => {
    const version = key.split('@')[0] ?? ''
    return ready.includes(version) ? 'ready' : failed.includes(version) ? 'failed' : 'pending'
  }

const shown = (plan: ArmPlan): string[] => armsOf(plan).map(({ arm, version, generation }) => `${arm} ${version} g${generation}`)

test('only a greater generation is applied', () => {
  expect(isNewer(undefined, state(1, '1'))).toBe(true)
  expect(isNewer(state(4, '1'), state(4, '2'))).toBe(false)
  expect(isNewer(state(4, '1'), state(3, '2'))).toBe(false)
  expect(isNewer(state(4, '1'), state(5, '2'))).toBe(true)
})

test('in whatever order and however often records come, the greatest generation is held at the end', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (generations) => {
      let held: ServingState | undefined
      for (const generation of generations) {
        const incoming = state(generation, String(generation))
        if (isNewer(held, incoming)) held = incoming
      }
      expect(held?.generation).toBe(Math.max(...generations))
    }),
  )
})

test('while the new Production loads, everything stays as it was', () => {
  const before = planArms(state(1, '1', { '2': ['canary', 10] }), null, status(['1', '2']))
  expect(planArms(state(2, '3'), before, status(['1', '2']))).toBe(before)
})

test('a canary that becomes Production only changes its arm', () => {
  const before = planArms(state(1, '1', { '2': ['canary', 10] }), null, status(['1', '2']))
  const after = planArms(state(2, '2'), before, status(['1', '2']))
  expect(shown(after)).toEqual(['production 2 g2'])
  expect(newArms(before, after).map(({ key }) => key)).toEqual([keyOf('2')])
})

test('a Production that cannot be loaded keeps the old one under its own generation, and candidates follow the record', () => {
  const before = planArms(state(1, '1', { '2': ['canary', 10] }), null, status(['1', '2']))
  expect(shown(planArms(state(2, '3', { '4': ['shadow', 100] }), before, status(['1', '2', '4'], ['3'])))).toEqual(['production 1 g1', 'shadow 4 g2'])
})

test('a candidate that is not loaded leaves its share to Production', () => {
  expect(shown(planArms(state(1, '1', { '2': ['canary', 10] }), null, status(['1'])))).toEqual(['production 1 g1'])
})

test('no Production wanted means none at once', () => {
  const before = planArms(state(1, '1'), null, status(['1']))
  expect(shown(planArms(state(2, null), before, status(['1'])))).toEqual([])
})

test('candidates can answer before the first Production is loaded', () => {
  expect(shown(planArms(state(1, '1', { '2': ['staging', 0] }), null, status(['2'])))).toEqual(['staging 2 g1'])
})

test('a version is freed when neither the plan nor the wish needs it', () => {
  const before = planArms(state(1, '1'), null, status(['1']))
  expect(unneeded([keyOf('1'), keyOf('2')], before, state(2, '2'))).toEqual([])
  const after = planArms(state(2, '2'), before, status(['1', '2']))
  expect(unneeded([keyOf('1'), keyOf('2')], after, state(2, '2'))).toEqual([keyOf('1')])
})
