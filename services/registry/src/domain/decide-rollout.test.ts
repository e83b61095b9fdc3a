import { expect, test } from 'vitest'
import { decideRollout } from './decide-rollout.ts'
import { fish, version } from './example-model.ts'
import type { Candidate } from './model.ts'

const canary = (number: number, weightPercent = 10): Candidate => ({ version: number, mode: 'canary', weightPercent })
const quiet = fish({ serving: { candidates: [], salt: null } })

test('the first candidate brings the salt, and a ramp keeps it', () => {
  expect(decideRollout(quiet, [canary(2, 1)], 7, 'new-salt')).toMatchObject({ serving: { generation: 8, salt: 'new-salt', production: 1 } })
  expect(decideRollout(fish(), [canary(2, 25)], 7, 'new-salt')).toMatchObject({ serving: { generation: 8, salt: 'salt-a' } })
})

test('without candidates the salt goes', () => {
  expect(decideRollout(fish(), [], 7, 'new-salt')).toMatchObject({ serving: { generation: 8, salt: null, candidates: [] } })
})

test('the same candidates in another order change nothing', () => {
  const both: Candidate[] = [canary(2), { version: 3, mode: 'shadow', weightPercent: 100 }]
  const model = fish({ serving: { candidates: both } })
  expect(decideRollout(model, both.toReversed(), 7, 'x')).toEqual({ kind: 'unchanged' })
})

test.each<[string, Candidate[], string]>([
  ['two canaries', [canary(2), canary(3)], "2 candidates with mode 'canary'"],
  ['more than all of the traffic', [canary(2, 60), { version: 3, mode: 'ab', weightPercent: 41 }], '101 %'],
  ['a version twice', [canary(2), { version: 2, mode: 'shadow', weightPercent: 1 }], 'named twice'],
  ['the Production version', [canary(1)], 'is in Production'],
  ['a version that does not exist', [canary(9)], 'version=9) not found'],
  ['a staging candidate with a share', [{ version: 2, mode: 'staging', weightPercent: 5 }], 'must be 0'],
  ['a negative share', [canary(2, -1)], 'from 0 to 100'],
  ['a share that is no number', [{ version: 2, mode: 'shadow', weightPercent: Number.NaN }], 'from 0 to 100'],
])('%s is refused', (_name, candidates, message) => {
  expect(decideRollout(quiet, candidates, 7, 'x')).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) })
})

test('a shadow does not count against the traffic', () => {
  const candidates: Candidate[] = [canary(2, 100), { version: 3, mode: 'shadow', weightPercent: 100 }]
  expect(decideRollout(quiet, candidates, 7, 'x')).toMatchObject({ kind: 'changed' })
})

test('archived and unservable versions are no candidates', () => {
  const versions = [
    version(1, { stage: 'Production' }),
    version(2, { stage: 'Archived' }),
    version(3, { servable: false, unservableReason: 'it is a pickle.' }),
  ]
  const model = fish({ versions, serving: { candidates: [], salt: null } })
  expect(decideRollout(model, [canary(2)], 7, 'x')).toMatchObject({ message: expect.stringContaining('Archived') })
  expect(decideRollout(model, [canary(3)], 7, 'x')).toMatchObject({ message: expect.stringContaining('it is a pickle.') })
})

test('without a Production version only staging candidates are possible', () => {
  const model = fish({ versions: [version(2)], serving: { production: null, candidates: [], salt: null } })
  expect(decideRollout(model, [canary(2)], 7, 'x')).toMatchObject({ message: expect.stringContaining('no Production version') })
  expect(decideRollout(model, [{ version: 2, mode: 'staging', weightPercent: 0 }], 7, 'x')).toMatchObject({ kind: 'changed' })
})

test('a rollout decided on another generation is refused', () => {
  expect(decideRollout(fish(), [], 6, 'x')).toMatchObject({ code: 'STALE_GENERATION' })
})
