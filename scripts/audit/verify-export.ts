import { createHash } from 'node:crypto'
import { type AuditHead, auditExportLine } from '@millrace/contracts/audit/audit-chain.ts'
import type { Finding } from '@millrace/contracts/audit/check-chain.ts'
import { createVerification, type Verification } from '@millrace/contracts/audit/verify-audit.ts'
import { messageOf } from '@millrace/platform/errors.ts'

export interface Verified {
  readonly head: AuditHead
  readonly entries: number
  readonly findings: readonly Finding[]
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Reads an export line by line, holding one chain at a time. @throws Error for what is no export, or one that was cut off */
export async function verifyExport(lines: AsyncIterable<string>, anchor: AuditHead | null): Promise<Verified> {
  let head: AuditHead | null = null
  let verification: Verification | null = null
  let entries = 0
  let ended = false
  let number = 0
  for await (const text of lines) {
    number += 1
    if (text.trim() === '') continue
    const line = readLine(text, number)
    if (line.kind === 'head') {
      head = line
      verification = createVerification(sha256, line, anchor)
    } else if (line.kind === 'end') ended = true
    else {
      verification?.add(line)
      entries += 1
    }
  }
  if (!head || !verification) throw new Error('this is no export of an audit trail: it does not begin with a head')
  if (!ended) throw new Error(`the export was cut off after ${entries} lines: it has no end. Export it again.`)
  return { head, entries, findings: verification.finish() }
}

function readLine(text: string, number: number) {
  try {
    return auditExportLine.parse(JSON.parse(text))
  } catch (error) {
    throw new Error(`line ${number} is none of an audit trail: ${messageOf(error)}`, { cause: error })
  }
}
