import { createHash } from 'node:crypto'
import { type AuditHead, headText } from '@millrace/contracts/audit/audit-chain.ts'
import type { RegistryDeps } from '../deps.ts'
import { readChainEnds, readChainedEntries } from './store.ts'

type AuditDeps = Pick<RegistryDeps, 'database' | 'clock'>

const PAGE = 500

/** Where all chains end now. */
export async function readAuditHead({ database, clock }: AuditDeps): Promise<AuditHead> {
  const chains = await readChainEnds(database)
  const hash = createHash('sha256').update(headText(chains)).digest('hex')
  return { kind: 'head', at: clock().toISOString(), entries: chains.reduce((sum, { length }) => sum + length, 0), chains, hash }
}

/**
 * The whole trail as lines of JSON: the head, every line that it speaks of, and the end. Lines that are appended meanwhile are left out, so that what is
 * exported is the trail at one moment, however long it takes; a line that lies behind the end of its chain was never appended, and is shown.
 */
export async function* exportAudit(deps: AuditDeps, signal: AbortSignal): AsyncGenerator<string> {
  const head = await readAuditHead(deps)
  yield `${JSON.stringify(head)}\n`
  const lengths = new Map(head.chains.map(({ chain, length }) => [chain, length]))
  let entries = 0
  let page = await readChainedEntries(deps.database, null, PAGE)
  while (page.length > 0 && !signal.aborted) {
    const shown = page.filter(({ entry, beyond }) => beyond || entry.seq <= (lengths.get(entry.chain) ?? 0))
    entries += shown.length
    if (shown.length > 0) yield shown.map(({ entry }) => `${JSON.stringify(entry)}\n`).join('')
    page = page.length < PAGE ? [] : await readChainedEntries(deps.database, page.at(-1)?.entry ?? null, PAGE)
  }
  if (!signal.aborted) yield `${JSON.stringify({ kind: 'end', entries })}\n`
}
