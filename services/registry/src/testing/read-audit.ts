import { createHash } from 'node:crypto'
import { type AuditHead, auditExportLine, auditHead } from '@millrace/contracts/audit/audit-chain.ts'
import type { Finding } from '@millrace/contracts/audit/check-chain.ts'
import { createVerification } from '@millrace/contracts/audit/verify-audit.ts'
import { systemClock } from '@millrace/platform/clock.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { exportAudit, readAuditHead } from '../audit/export-audit.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Exports the trail, reads it back line by line and verifies it. */
export async function verifyTrail(database: Database, anchor: AuditHead | null = null): Promise<{ entries: number; findings: readonly Finding[] }> {
  let text = ''
  for await (const part of exportAudit({ database, clock: systemClock }, new AbortController().signal)) text += part
  const [first = '', ...lines] = text.trimEnd().split('\n')
  const verification = createVerification(sha256, auditHead.parse(JSON.parse(first)), anchor)
  let entries = 0
  for (const line of lines) {
    const read = auditExportLine.parse(JSON.parse(line))
    if (read.kind !== 'entry') continue
    verification.add(read)
    entries += 1
  }
  return { entries, findings: verification.finish() }
}

export const headNow = (database: Database): Promise<AuditHead> => readAuditHead({ database, clock: systemClock })
