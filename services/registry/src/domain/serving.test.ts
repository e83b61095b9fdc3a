import { stages } from '@millrace/contracts/http/registry.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideRollback } from './decide-rollback.ts'
import { decideRollout, splitShare } from './decide-rollout.ts'
import { decideStage, type StageDecision } from './decide-stage.ts'
import { version } from './example-model.ts'
import { candidateModes, type Model, nothingServed, type Serving } from './model.ts'
import { servingNothing, servingRenamed, servingWithout } from './serving.ts'

const versions = 6
const number = fc.integer({ min: 1, max: versions + 1 })
const command = fc.oneof(
  fc.record({ kind: fc.constant('stage' as const), version: number, to: fc.constantFrom(...stages), archiveExisting: fc.boolean() }),
  fc.record({
    kind: fc.constant('rollout' as const),
    candidates: fc.array(
      fc.record({ version: number, mode: fc.constantFrom(...candidateModes), weightPercent: fc.constantFrom(0, 0.1, 10, 33, 50, 60, 100, 101) }),
      { maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant('rollback' as const), version: fc.option(number) }),
  fc.record({ kind: fc.constant('delete' as const), version: number }),
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

const start: Model = {
  name: 'fish',
  versions: Array.from({ length: versions }, (_, index) => version(index + 1, { servable: index !== 2 })),
  serving: nothingServed,
}

/** Applies a decision the way the store does; null where it was refused or changed nothing. */
function evolve(model: Model, decision: StageDecision, now: number): { model: Model; serving: Serving | null } | null {
  if (decision.kind !== 'changed') return null
  const moved = model.versions.map((each) => {
    const change = decision.changes.find((candidate) => candidate.version === each.version)
    const promoted = decision.promotion?.version === each.version ? { promotedAt: now, predecessor: decision.promotion.predecessor } : {}
    return change ? { ...each, stage: change.to, ...promoted } : each
  })
  return { model: { ...model, versions: moved, serving: decision.serving ?? model.serving }, serving: decision.serving }
}

function run(model: Model, step: Command, now: number): { model: Model; serving: Serving | null } | null {
  switch (step.kind) {
    case 'stage':
      return evolve(model, decideStage(model, { ...step, expectedGeneration: null }), now)
    case 'rollback': {
      const rollback = decideRollback(model, step.version, null)
      return 'kind' in rollback ? null : evolve(model, rollback.decision, now)
    }
    case 'rollout': {
      const decision = decideRollout(model, step.candidates, null, `salt-${now}`)
      return decision.kind === 'changed' ? { model: { ...model, serving: decision.serving }, serving: decision.serving } : null
    }
    case 'delete': {
      const serving = servingWithout(model.serving, step.version)
      return { model: { ...model, versions: model.versions.filter((each) => each.version !== step.version), serving: serving ?? model.serving }, serving }
    }
  }
}

function play(steps: readonly Command[], look: (before: Model, after: Model, serving: Serving | null) => void): void {
  let model = start
  steps.forEach((step, now) => {
    const next = run(model, step, now + 1)
    if (next) look(model, next.model, next.serving)
    model = next?.model ?? model
  })
}

const visible = ({ production, candidates }: Serving): string => JSON.stringify([production, candidates])
const check = (look: Parameters<typeof play>[1]) =>
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (steps) => play(steps, look)),
    { numRuns: 500 },
  )

test('the generation grows by exactly one with every change that pods can see, and stays otherwise', () => {
  check((before, after) => {
    const changed = visible(before.serving) !== visible(after.serving)
    expect(after.serving.generation).toBe(before.serving.generation + (changed ? 1 : 0))
  })
})

test('a model never has two Production versions, and serves the one that it has', () => {
  check((_before, after) => {
    const production = after.versions.filter((each) => each.stage === 'Production').map((each) => each.version)
    expect(production).toEqual(after.serving.production === null ? [] : [after.serving.production])
  })
})

test('candidates exist, can be served, are not archived, come once and are never the Production version', () => {
  check((_before, { serving, versions: present }) => {
    const numbers = serving.candidates.map((candidate) => candidate.version)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers).not.toContain(serving.production)
    for (const each of numbers) expect(present.find((candidate) => candidate.version === each)).toMatchObject({ servable: true })
    for (const each of numbers) expect(present.find((candidate) => candidate.version === each)?.stage).not.toBe('Archived')
  })
})

test('weights stay in bounds: at most one canary and one ab, together at most all of the traffic', () => {
  check((_before, { serving }) => {
    expect(splitShare(serving.candidates)).toBeLessThanOrEqual(100)
    for (const mode of ['canary', 'ab']) expect(serving.candidates.filter((candidate) => candidate.mode === mode).length).toBeLessThanOrEqual(1)
    for (const { mode, weightPercent } of serving.candidates) expect(weightPercent).toBeLessThanOrEqual(mode === 'staging' ? 0 : 100)
  })
})

test('the salt is there exactly while candidates are, and does not change in between', () => {
  check((before, { serving }) => {
    expect(serving.salt !== null).toBe(serving.candidates.length > 0)
    if (before.serving.candidates.length > 0 && serving.candidates.length > 0) expect(serving.salt).toBe(before.serving.salt)
  })
})

const served: Serving = { generation: 4, salt: 's', production: 1, candidates: [{ version: 2, mode: 'canary', weightPercent: 5 }] }

test('a deleted model leaves a generation that says: nothing to serve', () => {
  expect(servingNothing(served)).toEqual({ generation: 5, salt: null, production: null, candidates: [] })
  expect(servingNothing(nothingServed)).toBeNull()
})

test('a renamed model goes on above every generation that its new name ever had', () => {
  expect(servingRenamed(served, { ...nothingServed, generation: 9 })).toEqual({ ...served, generation: 10 })
  expect(servingRenamed(nothingServed, nothingServed)).toBeNull()
})
