import { type ChainedEntry, hashedText, NO_HASH } from './audit-chain.ts'

export type Sha256 = (text: string) => string

/** The first line of a chain that is not as it was written. */
export interface Finding {
  readonly kind: 'changed' | 'removed' | 'inserted' | 'reordered'
  readonly chain: string
  readonly seq: number
  /** Null where the line is not there. */
  readonly id: number | null
  readonly message: string
}

/** Where a chain ended when somebody looked. */
export interface ChainEnd {
  readonly length: number
  readonly hash: string
}

export const finding = (kind: Finding['kind'], chain: string, seq: number, entry: ChainedEntry | undefined, message: string): Finding => ({
  ...{ kind, chain, seq, message },
  id: entry?.id ?? null,
})

/**
 * Finds the first line of one chain that was changed, removed, inserted or moved; null where all are as they were written. `entries` in the order of the
 * export. `end` is where the chain ended when it was exported, `anchor` where it ended when somebody noted it before.
 */
export function checkChain(chain: string, entries: readonly ChainedEntry[], sha256: Sha256, end?: ChainEnd, anchor?: ChainEnd): Finding | null {
  let previous = NO_HASH
  for (const [index, entry] of entries.entries()) {
    const found = checkPlace(chain, entries, index) ?? checkLink(chain, entry, previous, sha256)
    if (found) return found
    previous = entry.hash
  }
  return (end && checkEnd(chain, entries, end)) ?? (anchor && checkAnchor(chain, entries, anchor)) ?? null
}

function checkPlace(chain: string, entries: readonly ChainedEntry[], index: number): Finding | null {
  const entry = entries[index]
  const seq = index + 1
  if (!entry || entry.seq === seq) return null
  if (entry.seq < seq) {
    const before = entries[index - 1]
    const culprit = entries[index + 1]?.previousHash === entry.hash ? before : entry
    return finding('inserted', chain, entry.seq, culprit, 'two lines claim this place; this is the one that the next line does not follow')
  }
  const later = entries.slice(index + 1).find((other) => other.seq === seq)
  if (later) return finding('reordered', chain, seq, later, `this line stands after line ${entry.seq}`)
  return finding('removed', chain, seq, undefined, `there is nothing between line ${seq - 1} and line ${entry.seq}`)
}

function checkLink(chain: string, entry: ChainedEntry, previous: string, sha256: Sha256): Finding | null {
  if (sha256(hashedText(entry)) !== entry.hash) return finding('changed', chain, entry.seq, entry, 'its content is not what its hash was taken of')
  if (entry.previousHash === previous) return null
  return finding('inserted', chain, entry.seq, entry, 'it does not follow the line before it: one of the two was written anew')
}

function checkEnd(chain: string, entries: readonly ChainedEntry[], end: ChainEnd): Finding | null {
  if (entries.length < end.length) {
    return finding('removed', chain, entries.length + 1, undefined, `the chain ends after line ${entries.length}, it should have ${end.length}`)
  }
  const extra = entries[end.length]
  if (extra) return finding('inserted', chain, extra.seq, extra, `the chain should end after line ${end.length}`)
  return entries.length === 0 || entries.at(-1)?.hash === end.hash
    ? null
    : finding('changed', chain, entries.length, entries.at(-1), 'the chain does not end in the hash that it should end in')
}

function checkAnchor(chain: string, entries: readonly ChainedEntry[], anchor: ChainEnd): Finding | null {
  if (anchor.length === 0) return null
  const anchored = entries[anchor.length - 1]
  if (!anchored) return finding('removed', chain, entries.length + 1, undefined, `the chain had ${anchor.length} lines when it was anchored`)
  return anchored.hash === anchor.hash
    ? null
    : finding('changed', chain, anchored.seq, anchored, 'this line or one before it was rewritten after it had been anchored')
}
