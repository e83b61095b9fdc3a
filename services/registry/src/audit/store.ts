import { type AuditHead, type ChainedEntry, chainedEntry } from '@millrace/contracts/audit/audit-chain.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** The ends of all chains at one moment, by name. */
export async function readChainEnds(sql: Sql): Promise<AuditHead['chains']> {
  return sql.query<{ chain: string; length: number; hash: string }>('select chain, length, hash from audit_chain order by chain')
}

/** A line, and whether it lies behind the end of its chain, where none can be that was appended. */
export interface StoredEntry {
  readonly entry: ChainedEntry
  readonly beyond: boolean
}

/** Lines of all chains behind a place, chain after chain, each in its own order: a line that was numbered later was also committed later. */
export async function readChainedEntries(sql: Sql, after: Pick<ChainedEntry, 'chain' | 'seq'> | null, limit: number): Promise<StoredEntry[]> {
  const rows = await sql.query<ChainedEntry & { beyond: boolean }>(
    `select 'entry' as kind, e.chain, e.seq, id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor, action, model, model_id as "modelId", version,
       from_value as "from", to_value as "to", reason, request_id as "requestId", details::text as details, previous_hash as "previousHash", e.hash,
       e.seq > coalesce(c.length, 0) as beyond
     from audit_entry e left join audit_chain c using (chain) where $1::text is null or (e.chain, e.seq) > ($1, $2::bigint) order by e.chain, e.seq limit $3`,
    [after?.chain ?? null, after?.seq ?? null, limit],
  )
  return rows.map(({ beyond, ...entry }) => ({ entry: chainedEntry.parse(entry), beyond }))
}
