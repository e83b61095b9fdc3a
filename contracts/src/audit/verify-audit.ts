import { type AuditHead, type ChainedEntry, headText, OPEN_CHAIN } from './audit-chain.ts'
import { checkChain, type Finding, finding, type Sha256 } from './check-chain.ts'

export interface Verification {
  /** Takes the lines in the order of the export, one at a time; holds those of one chain. */
  add(entry: ChainedEntry): void
  /** The first tampered line of each chain, none where all is as it was written. */
  finish(): readonly Finding[]
}

/**
 * Verifies an export of the audit trail. `head` is its first line; `anchor` a head that was kept elsewhere before.
 * @param sha256 hexadecimal digest of a text in UTF-8
 */
export function createVerification(sha256: Sha256, head: AuditHead, anchor: AuditHead | null = null): Verification {
  const ends = new Map(head.chains.map((end) => [end.chain, end]))
  const anchors = new Map((anchor?.chains ?? []).map((end) => [end.chain, end]))
  const findings: Finding[] = [head, anchor].flatMap((each) => (each ? checkHead(each, sha256) : []))
  const seen = new Set<string>()
  const opened = new Set<string>()
  let current: ChainedEntry[] = []

  function close(): void {
    const chain = current[0]?.chain
    if (chain === undefined) return
    for (const entry of current) if (chain === '' && entry.action === OPEN_CHAIN && entry.to !== null) opened.add(entry.to)
    const found = seen.has(chain)
      ? finding('reordered', chain, current[0]?.seq ?? 0, current[0], 'the lines of this chain do not stand together')
      : checkChain(chain, current, sha256, ends.get(chain), anchors.get(chain))
    if (found) findings.push(found)
    seen.add(chain)
    current = []
  }

  return {
    add(entry) {
      if (current[0] && current[0].chain !== entry.chain) close()
      current.push(entry)
    },
    finish() {
      close()
      return [...findings, ...checkWhole(seen, opened, new Set([...ends.keys(), ...anchors.keys()]))]
    },
  }
}

const checkHead = (head: AuditHead, sha256: Sha256): Finding[] =>
  sha256(headText(head.chains)) === head.hash ? [] : [finding('changed', '', 0, undefined, `the head of ${head.at} is not what its hash was taken of`)]

/** Chains that vanished as a whole, or that nobody ever opened. */
function checkWhole(seen: ReadonlySet<string>, opened: ReadonlySet<string>, known: ReadonlySet<string>): Finding[] {
  const expected = [...new Set([...opened, ...known])].filter((chain) => !seen.has(chain))
  const gone = expected.map((chain) => finding('removed', chain, 1, undefined, 'the whole chain is gone'))
  const unknown = [...seen].filter((chain) => chain !== '' && !opened.has(chain))
  return [...gone, ...unknown.map((chain) => finding('inserted', chain, 1, undefined, 'nothing says that this chain was ever begun'))]
}
