import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type AuditHead, type ChainedEntry, hashedText, headText, NO_HASH, OPEN_CHAIN } from './audit-chain.ts'
import { createVerification } from './verify-audit.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A trail of the model `fish` with so many lines, as the registry would export it. */
function trail(length = 5): ChainedEntry[] {
  const actions: [string, string, string | null][] = [
    ['', OPEN_CHAIN, 'fish'],
    ...Array.from({ length }, (_, index): [string, string, null] => ['fish', `step ${index}`, null]),
  ]
  const entries: ChainedEntry[] = []
  for (const [index, [chain, action, to]] of actions.entries()) {
    const before = entries.filter((entry) => entry.chain === chain)
    const rest = { actor: 'ana', action, model: chain, modelId: null, version: 1, from: null, to, reason: '', requestId: 'r', details: '{}' }
    const at = '2026-01-01T00:00:00.000000Z'
    entries.push(seal({ kind: 'entry', chain, seq: before.length + 1, id: index + 1, at, ...rest, previousHash: before.at(-1)?.hash ?? NO_HASH, hash: '' }))
  }
  return entries
}

const seal = (entry: ChainedEntry): ChainedEntry => ({ ...entry, hash: sha256(hashedText(entry)) })

function headOf(entries: readonly ChainedEntry[]): AuditHead {
  const chains = [...Map.groupBy(entries, ({ chain }) => chain)].map(([chain, own]) => ({ chain, length: own.length, hash: own.at(-1)?.hash ?? '' }))
  return { kind: 'head', at: '2026-01-01T00:00:00.000Z', entries: entries.length, chains, hash: sha256(headText(chains)) }
}

function verify(entries: readonly ChainedEntry[], head = headOf(trail()), anchor: AuditHead | null = null) {
  const verification = createVerification(sha256, head, anchor)
  for (const entry of entries) verification.add(entry)
  return verification.finish()
}

test('a trail that nobody touched has nothing to find', () => {
  expect(verify(trail())).toEqual([])
  expect(verify(trail(7), headOf(trail(7)), headOf(trail(3)))).toEqual([])
})

const fields = ['at', 'actor', 'action', 'model', 'reason', 'requestId', 'details', 'from', 'to'] as const

test.each(fields)('a line whose %s was changed is named', (field) => {
  const tampered = trail().map((entry) => (entry.id === 4 ? { ...entry, [field]: 'other' } : entry))
  expect(verify(tampered)).toMatchObject([{ kind: 'changed', chain: 'fish', seq: 3, id: 4 }])
})

test('a line that was changed together with its hash is found by the line after it', () => {
  const tampered = trail().map((entry) => (entry.id === 4 ? seal({ ...entry, actor: 'eve' }) : entry))
  expect(verify(tampered)).toMatchObject([{ kind: 'inserted', seq: 4, message: expect.stringContaining('does not follow') }])
})

test('a line that is gone is named, in the middle, at the end, and with its whole chain', () => {
  expect(verify(trail().filter(({ id }) => id !== 4))).toMatchObject([{ kind: 'removed', chain: 'fish', seq: 3, id: null }])
  expect(verify(trail().filter(({ id }) => id !== 6))).toMatchObject([{ kind: 'removed', chain: 'fish', seq: 5 }])
  expect(verify(trail().filter(({ chain }) => chain === ''))).toMatchObject([{ kind: 'removed', chain: 'fish', seq: 1 }])
  const opening = trail().filter(({ chain }) => chain === '')
  expect(verify(opening, headOf(opening))).toMatchObject([{ kind: 'removed', chain: 'fish', message: 'the whole chain is gone' }])
})

test('a line that was put in is named, not the one that it was put before', () => {
  const entries = trail()
  const [before, genuine] = [entries[2], entries[3]]
  if (!before || !genuine) throw new Error('the trail is too short')
  const forged = seal({ ...genuine, id: 99, actor: 'eve', previousHash: before.hash })
  expect(verify(entries.toSpliced(3, 0, forged))).toMatchObject([{ kind: 'inserted', seq: 3, id: 99 }])
  expect(verify(entries.toSpliced(4, 0, forged))).toMatchObject([{ kind: 'inserted', seq: 3, id: 99 }])
  expect(verify([...entries, seal({ ...genuine, id: 99, seq: 6, previousHash: entries.at(-1)?.hash ?? '' })])).toMatchObject([
    { kind: 'inserted', seq: 6, id: 99 },
  ])
})

test('a chain that nothing says was begun is named', () => {
  const stray = seal({ ...(trail()[1] ?? Object(null)), chain: 'stray', id: 50 })
  expect(verify([...trail(), stray])).toMatchObject([{ kind: 'inserted', chain: 'stray' }])
})

test('lines that changed places are named', () => {
  const entries = trail()
  const swapped = entries.with(2, entries[3] ?? Object(null)).with(3, entries[2] ?? Object(null))
  expect(verify(swapped)).toMatchObject([{ kind: 'reordered', chain: 'fish', seq: 2, id: 3 }])
  const exchanged = entries.map((entry) => (entry.id === 3 ? { ...entry, seq: 3 } : entry.id === 4 ? { ...entry, seq: 2 } : entry))
  expect(verify(exchanged)).toMatchObject([{ kind: 'reordered', chain: 'fish' }])
})

test('a trail that was written anew as a whole is found by an anchor alone', () => {
  const forged: ChainedEntry[] = []
  for (const entry of trail()) {
    const previousHash = forged.findLast(({ chain }) => chain === entry.chain)?.hash ?? NO_HASH
    forged.push(seal({ ...entry, actor: 'eve', previousHash }))
  }
  expect(verify(forged, headOf(forged))).toEqual([])
  expect(verify(forged, headOf(forged), headOf(trail(3)))).toMatchObject([
    { kind: 'changed', chain: '' },
    { kind: 'changed', chain: 'fish', seq: 3 },
  ])
  const cut = trail(2)
  expect(verify(cut, headOf(cut), headOf(trail()))).toMatchObject([{ kind: 'removed', chain: 'fish', seq: 3 }])
})

test('a head that was changed is found', () => {
  const head = headOf(trail())
  expect(verify(trail(), { ...head, hash: NO_HASH })).toMatchObject([{ kind: 'changed', seq: 0 }])
})
