import { expect, test } from 'vitest'
import { decideRollback } from './decide-rollback.ts'
import { fish, version } from './example-model.ts'
import type { Version } from './model.ts'

/** 1, 2 and 3 were promoted in turn; 3 is in Production. */
const chain = (third: Partial<Version> = {}) =>
  fish({
    versions: [
      version(1, { stage: 'Archived', promotedAt: 1 }),
      version(2, { stage: 'Archived', promotedAt: 2, predecessor: 1 }),
      version(3, { stage: 'Production', promotedAt: 3, predecessor: 2, ...third }),
      version(4),
    ],
    serving: { production: 3, candidates: [], salt: null },
  })

test('a rollback promotes the version that was Production before', () => {
  const rollback = decideRollback(chain(), null, 7)
  expect(rollback).toMatchObject({
    target: 2,
    decision: { kind: 'changed', promotion: { kind: 'rolled-back', previousVersion: 3 }, serving: { production: 2, generation: 8 } },
  })
})

test('a second rollback goes further back, not forward to the version that was left', () => {
  const versions = chain().versions.map((each) => ({ ...each, stage: each.version === 2 ? ('Production' as const) : ('Archived' as const) }))
  expect(decideRollback(fish({ versions, serving: { production: 2, candidates: [] } }), null, null)).toMatchObject({ target: 1 })
})

test('versions on the way back that cannot be served are passed over', () => {
  const versions = chain().versions.map((each) => (each.version === 2 ? { ...each, servable: false } : each))
  expect(decideRollback(fish({ versions, serving: { production: 3, candidates: [] } }), null, null)).toMatchObject({ target: 1 })
})

test('a named version comes back if it was Production once', () => {
  expect(decideRollback(chain(), 1, null)).toMatchObject({ target: 1 })
  expect(decideRollback(chain(), 4, null)).toMatchObject({ kind: 'refused', message: expect.stringContaining('never in Production') })
})

test.each([
  [chain({ predecessor: null }), null, 'no Production version before 3'],
  [fish({ serving: { production: null, candidates: [] } }), null, 'nothing in Production to roll back from'],
  [chain(), 3, 'is in Production already'],
  [chain(), 9, 'version=9) not found'],
])('a rollback that leads nowhere is refused', (model, target, message) => {
  expect(decideRollback(model, target, null)).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) })
})

test('a rollback decided on another generation is refused before anything else', () => {
  expect(decideRollback(chain(), 9, 6)).toMatchObject({ code: 'STALE_GENERATION' })
})

test('a way back that leads in a circle ends', () => {
  const versions = [version(1, { promotedAt: 1, predecessor: 2, servable: false }), version(2, { stage: 'Production', promotedAt: 2, predecessor: 1 })]
  expect(decideRollback(fish({ versions, serving: { production: 2, candidates: [] } }), null, null)).toMatchObject({ kind: 'refused' })
})
