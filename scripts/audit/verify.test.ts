import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChainedEntry, hashedText, headText, NO_HASH } from '@millrace/contracts/audit/audit-chain.ts'
import { expect, onTestFinished, test } from 'vitest'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function exported(length: number): { lines: object[]; head: object } {
  const entries: ChainedEntry[] = []
  for (let seq = 1; seq <= length; seq++) {
    const rest = { actor: 'ana', action: 'test', model: '', modelId: null, version: null, from: null, to: null, reason: '', requestId: '', details: '{}' }
    const at = '2026-01-01T00:00:00.000000Z'
    const entry: ChainedEntry = { kind: 'entry', chain: '', seq, id: seq, at, ...rest, previousHash: entries.at(-1)?.hash ?? NO_HASH, hash: '' }
    entries.push({ ...entry, hash: sha256(hashedText(entry)) })
  }
  const chains = [{ chain: '', length, hash: entries.at(-1)?.hash ?? NO_HASH }]
  const head = { kind: 'head', at: '2026-01-01T00:00:00.000Z', entries: length, chains, hash: sha256(headText(chains)) }
  return { lines: [head, ...entries, { kind: 'end', entries: length }], head }
}

function verify(lines: readonly object[], anchor?: object) {
  const folder = mkdtempSync(join(tmpdir(), 'audit-verify-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'audit.ndjson')
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const anchorFile = join(folder, 'head.json')
  writeFileSync(anchorFile, JSON.stringify(anchor ?? {}))
  const args = [join(import.meta.dirname, 'verify.ts'), file, ...(anchor ? ['--anchor', anchorFile] : [])]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('an export that nobody touched verifies, against a head that was kept too', () => {
  const { lines } = exported(3)
  expect(verify(lines, exported(2).head)).toMatchObject({ status: 0, stdout: expect.stringContaining('3 lines in 1 chains') })
})

test('the first line that was tampered with is named', () => {
  const { lines } = exported(3)
  const tampered = lines.with(2, { ...lines[2], actor: 'eve' })
  expect(verify(tampered)).toMatchObject({ status: 1, stdout: expect.stringContaining('changed: line 2 of the registry itself (id 2)') })
})

test('what is no whole export is refused with what to do', () => {
  const { lines } = exported(3)
  expect(verify(lines.slice(0, -1))).toMatchObject({ status: 2, stderr: expect.stringContaining('Export it again') })
  expect(verify([{ some: 'thing' }])).toMatchObject({ status: 2, stderr: expect.stringContaining('line 1 is none of an audit trail') })
  expect(verify([])).toMatchObject({ status: 2, stderr: expect.stringContaining('no export') })
})
