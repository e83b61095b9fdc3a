import { expect, test } from 'vitest'
import { decideStage, parseStage } from './decide-stage.ts'
import { fish, version } from './example-model.ts'

const move = (
  to: 'None' | 'Staging' | 'Production' | 'Archived',
  number: number,
  rest: { archiveExisting?: boolean; expectedGeneration?: number | null } = {},
) => ({
  version: number,
  to,
  archiveExisting: false,
  expectedGeneration: null,
  ...rest,
})

test('promoting archives the version that was in Production and ends the rollout, whatever the flag says', () => {
  expect(decideStage(fish(), move('Production', 2, { expectedGeneration: 7 }))).toEqual({
    kind: 'changed',
    changes: [
      { version: 1, from: 'Production', to: 'Archived' },
      { version: 2, from: 'Staging', to: 'Production' },
    ],
    promotion: { version: 2, previousVersion: 1, kind: 'promoted', predecessor: 1 },
    serving: { generation: 8, salt: null, production: 2, candidates: [] },
  })
})

test('a decision made on another generation is refused', () => {
  expect(decideStage(fish(), move('Production', 2, { expectedGeneration: 6 }))).toMatchObject({ kind: 'refused', code: 'STALE_GENERATION' })
})

test('a version that does not exist is not found, before its generation is looked at', () => {
  expect(decideStage(fish(), move('Production', 9, { expectedGeneration: 6 }))).toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'Model Version (name=fish, version=9) not found',
  })
})

test('taking the Production version away leaves nothing to serve, as a new generation, and ends the rollout', () => {
  expect(decideStage(fish(), move('Archived', 1))).toMatchObject({ promotion: null, serving: { generation: 8, production: null, candidates: [], salt: null } })
})

test('archiving a candidate takes it out of service', () => {
  expect(decideStage(fish(), move('Archived', 2))).toMatchObject({ serving: { generation: 8, production: 1, candidates: [], salt: null } })
})

test('a candidate that goes back from Staging to None is one no longer', () => {
  expect(decideStage(fish(), move('None', 2))).toMatchObject({ serving: { generation: 8, production: 1, candidates: [], salt: null } })
})

test('a move that pods do not see keeps the generation', () => {
  expect(decideStage(fish(), move('Staging', 3))).toMatchObject({ kind: 'changed', serving: null })
})

test('moving a version to the stage it is in changes nothing', () => {
  expect(decideStage(fish(), move('Production', 1))).toEqual({ kind: 'unchanged' })
})

test('archive_existing_versions empties the stage, candidates included', () => {
  expect(decideStage(fish(), move('Staging', 3, { archiveExisting: true }))).toMatchObject({
    changes: [
      { version: 2, from: 'Staging', to: 'Archived' },
      { version: 3, from: 'None', to: 'Staging' },
    ],
    serving: { generation: 8, production: 1, candidates: [] },
  })
})

test.each(['None', 'Archived'] as const)('archive_existing_versions is refused for %s', (to) => {
  const refusal = decideStage(fish(), move(to, 2, { archiveExisting: true }))
  expect(refusal).toMatchObject({ code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(`because '${to}' is not an Active stage`) })
})

test.each([
  [version(3, { servable: false, unservableReason: 'it is a pickle. Log it as ONNX.' }), 'it is a pickle. Log it as ONNX.'],
  [version(3, { servable: false, status: 'PENDING_REGISTRATION' }), 'Wait until its status is READY'],
  [version(3, { servable: false, status: 'FAILED_REGISTRATION', statusMessage: 'no such run' }), 'its registration failed (no such run)'],
])('a version that cannot be served is refused for Production with the way out', (unservable, cure) => {
  const refusal = decideStage(fish({ versions: [unservable] }), move('Production', 3))
  expect(refusal).toMatchObject({ code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(cure) })
})

test('a version that cannot be served may still be moved to Staging', () => {
  expect(decideStage(fish({ versions: [version(3, { servable: false })] }), move('Staging', 3))).toMatchObject({ kind: 'changed' })
})

test('promoting an earlier version than the one that served is a rollback', () => {
  const model = fish({
    versions: [version(1, { promotedAt: 1 }), version(2, { stage: 'Production', promotedAt: 2, predecessor: 1 })],
    serving: { production: 2, candidates: [] },
  })
  expect(decideStage(model, move('Production', 1))).toMatchObject({ promotion: { kind: 'rolled-back', previousVersion: 2, predecessor: null } })
})

test('with nothing in Production the version that was it last decides between promotion and rollback', () => {
  const model = fish({ versions: [version(1), version(2, { stage: 'Archived', promotedAt: 5 }), version(3)], serving: { production: null, candidates: [] } })
  expect(decideStage(model, move('Production', 3))).toMatchObject({ promotion: { kind: 'promoted', previousVersion: null, predecessor: 2 } })
  expect(decideStage(model, move('Production', 1))).toMatchObject({ promotion: { kind: 'rolled-back', previousVersion: null } })
})

test('stages are read in any case and answered in their own', () => {
  expect(['none', 'STAGING', 'pRoduction', 'Archived', 'champion', ''].map(parseStage)).toEqual(['None', 'Staging', 'Production', 'Archived', null, null])
})
