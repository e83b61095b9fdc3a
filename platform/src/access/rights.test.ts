import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Caller } from '../http/identity.ts'
import { type Grant, levelOn, levels, matchesPattern, mayEverywhere, mayOn, mayShare, type Need, type Resource } from './rights.ts'
import { decodeRights, encodeRights } from './rights-claim.ts'

const caller = (fields: Partial<Caller> = {}): Caller => ({ service: 'gateway', user: 'ana', role: 'viewer', ...fields })
const fish: Resource = { kind: 'model', name: 'fish' }
const grant = (fields: Partial<Grant> = {}): Grant => ({ kind: 'model', by: 'name', value: 'fish', level: 'EDIT', promote: false, personal: false, ...fields })
const holding = (...grants: Grant[]): Caller => caller({ rights: { fallback: 'READ', grants } })

test('without grants the role says what a caller may do on every resource', () => {
  expect(levelOn(caller(), fish)).toBe('READ')
  expect(levelOn(caller({ role: 'user' }), fish)).toBe('USE')
  expect(mayOn(caller({ role: 'user' }), 'EDIT', fish)).toBe(false)
  expect(mayOn(caller({ role: 'editor' }), 'MANAGE', fish)).toBe(true)
  expect(mayOn(caller({ role: 'editor' }), 'PROMOTE', fish)).toBe(false)
  expect(mayOn(caller({ role: 'promoter' }), 'PROMOTE', fish)).toBe(true)
})

test('the creator manages what they made, unless that was taken away', () => {
  const own = { ...fish, owner: 'ana' }
  expect(levelOn(caller(), own)).toBe('MANAGE')
  expect(levelOn(holding(grant({ level: 'DISOWNED', personal: true })), own)).toBe('READ')
  expect(mayOn(caller({ role: 'editor' }), 'PROMOTE', own)).toBe(false)
  expect([mayShare(caller(), own), mayShare(caller({ role: 'editor' }), fish)]).toEqual([true, false])
})

test('a grant for the user and the resource stands above groups, patterns and ownership', () => {
  const mine = grant({ level: 'READ', personal: true })
  expect(levelOn(holding(mine, grant({ by: 'pattern', value: 'f*', level: 'MANAGE' })), { ...fish, owner: 'ana' })).toBe('READ')
})

test('the greatest of the grants counts, and NO_PERMISSIONS hides what the role would show', () => {
  expect(levelOn(holding(grant({ level: 'NO_PERMISSIONS' })), fish)).toBe('NO_PERMISSIONS')
  expect(levelOn(holding(grant({ level: 'NO_PERMISSIONS' }), grant({ level: 'USE' })), fish)).toBe('USE')
})

test('the right to promote is separate from the ladder and needs at least READ', () => {
  expect(mayOn(holding(grant({ level: 'MANAGE' })), 'PROMOTE', fish)).toBe(false)
  expect(mayOn(holding(grant({ level: 'INHERIT', promote: true })), 'PROMOTE', fish)).toBe(true)
  expect(mayOn(holding(grant({ level: 'NO_PERMISSIONS', promote: true })), 'PROMOTE', fish)).toBe(false)
})

test('who may edit a name may make it; an editor may make whatever no grant forbids', () => {
  expect(mayOn(caller({ role: 'editor', rights: { fallback: 'NO_PERMISSIONS', grants: [] } }), 'CREATE', fish)).toBe(true)
  expect(mayOn(caller({ role: 'editor', rights: { fallback: 'EDIT', grants: [grant({ level: 'READ' })] } }), 'CREATE', fish)).toBe(false)
  expect(mayOn(caller(), 'CREATE', fish)).toBe(false)
  expect(mayOn(holding(grant()), 'CREATE', fish)).toBe(true)
})

test('administrators and services that call for themselves are held back by nothing; nobody in particular is no service', () => {
  const hidden = { fallback: 'NO_PERMISSIONS', grants: [grant({ level: 'NO_PERMISSIONS' })] } as const
  expect(levelOn(caller({ role: 'admin', rights: hidden }), fish)).toBe('MANAGE')
  expect(levelOn(caller({ service: 'registry', user: 'registry', role: 'promoter' }), fish)).toBe('MANAGE')
  expect(mayOn({ service: '', user: '', role: 'viewer' }, 'EDIT', fish)).toBe(false)
})

test('a star stands for any characters, and everything else for itself', () => {
  expect(['team/*', '*', 'team/*/prod*', 'team/a/prod-1'].map((pattern) => matchesPattern(pattern, 'team/a/prod-1'))).toEqual([true, true, true, true])
  expect(['team', 'a*a', 'team/*b', 'team.a*'].map((pattern) => matchesPattern(pattern, 'team/a'))).toEqual([false, false, false, false])
  expect(matchesPattern('a*a', 'a')).toBe(false)
  expect(matchesPattern(`${'*a'.repeat(200)}*b`, 'a'.repeat(5000))).toBe(false)
})

const anyGrant: fc.Arbitrary<Grant> = fc.record({
  kind: fc.constantFrom('experiment', 'model'),
  by: fc.constantFrom('id', 'name', 'pattern'),
  value: fc.constantFrom('fish', 'f*', '*', '7', 'ça va'),
  level: fc.constantFrom(...levels, 'INHERIT', 'DISOWNED'),
  promote: fc.boolean(),
  personal: fc.boolean(),
})
const anyCaller = fc
  .record({
    role: fc.constantFrom('viewer', 'user', 'editor', 'promoter', 'admin'),
    rights: fc.record({ fallback: fc.constantFrom(...levels), grants: fc.array(anyGrant, { maxLength: 4 }) }),
  })
  .map((fields) => caller(fields))
const needs: readonly Need[] = ['READ', 'USE', 'EDIT', 'MANAGE', 'CREATE', 'PROMOTE']

test('what a caller may do everywhere, they may do on any resource', () => {
  const resource = fc.record({ kind: fc.constantFrom('experiment', 'model'), name: fc.constantFrom('fish', 'fog', 'x'), id: fc.constantFrom('7', '8') })
  const holds = fc.property(anyCaller, resource, fc.constantFrom(...needs), (who, what, need) => !mayEverywhere(who, need) || mayOn(who, need, what))
  fc.assert(holds, { seed: 4, numRuns: 3000 })
})

const keyOf = ({ kind, by, value, level, promote, personal }: Grant) => JSON.stringify([kind, by, value, level, promote, personal])

test('rights survive the way through a token', () => {
  const same = fc.property(anyCaller, ({ rights }) => {
    if (!rights) return
    const back = decodeRights(encodeRights(rights))
    expect(back?.fallback).toBe(rights.fallback)
    expect(new Set(back?.grants.map(keyOf))).toEqual(new Set(rights.grants.map(keyOf)))
  })
  fc.assert(same, { seed: 4, numRuns: 500 })
})

test('a claim that does not fit, or that was tampered with, is no claim', () => {
  const many = Array.from({ length: 5000 }, (_, at) => grant({ value: `model-${((at + 1) * 2_654_435_761) % 1_000_003}` }))
  expect(encodeRights({ fallback: 'READ', grants: many })).toBeNull()
  for (const claim of ['', 'AAAA', 7, null, 'x'.repeat(10_000), Buffer.from('[1,2]').toString('base64url')]) expect(decodeRights(claim)).toBeNull()
})
