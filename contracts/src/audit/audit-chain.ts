import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** A line of the audit trail as it is exported: every field is exactly the text that was hashed. */
export const chainedEntry = z.looseObject({
  kind: z.literal('entry'),
  /** Name of the model, or empty for what is of no model. */
  chain: z.string(),
  /** Place in the chain, from 1 on, without gaps. */
  seq: z.int().positive(),
  id: z.int().positive(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  model: z.string(),
  modelId: z.int().nullable(),
  version: z.int().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  reason: z.string(),
  requestId: z.string(),
  /** JSON as the database writes it: the spelling is part of what was hashed. */
  details: z.string(),
  previousHash: hash,
  hash,
})
export type ChainedEntry = z.infer<typeof chainedEntry>

/** The ends of all chains at one moment. Kept elsewhere, it proves later that nothing up to there was rewritten. */
export const auditHead = z.looseObject({
  kind: z.literal('head'),
  at: z.iso.datetime(),
  entries: z.int().nonnegative(),
  chains: z.array(z.looseObject({ chain: z.string(), length: z.int().nonnegative(), hash })),
  /** SHA-256 over all ends: this one value may be anchored in place of all of them. */
  hash,
})
export type AuditHead = z.infer<typeof auditHead>

/** Last line of an export: without it the export was cut off. */
const auditEnd = z.looseObject({ kind: z.literal('end'), entries: z.int().nonnegative() })

/** GET /api/v1/audit/export: one of these per line. */
export const auditExportLine = z.discriminatedUnion('kind', [auditHead, chainedEntry, auditEnd])

/** The action of the lines in the empty chain that say when another chain began; `to` is its name. */
export const OPEN_CHAIN = 'open-audit-chain'
/** What the first line of a chain follows. */
export const NO_HASH = '0'.repeat(64)

const text = (value: string | number | null): string => (value === null ? 'null' : JSON.stringify(String(value)))

/** What is hashed of a line: the previous hash, a line feed and a JSON array of texts. */
export const hashedText = (entry: ChainedEntry): string => {
  const { chain, seq, id, at, actor, action, model, modelId, version, from, to, reason, requestId, details } = entry
  const fields = [chain, seq, id, at, actor, action, model, modelId, version, from, to, reason, requestId, details]
  return `${entry.previousHash}\n[${fields.map(text).join(', ')}]`
}

/** What the head's own hash is taken of. */
export const headText = (chains: AuditHead['chains']): string => chains.map(({ chain, length, hash: end }) => JSON.stringify([chain, length, end])).join('\n')
