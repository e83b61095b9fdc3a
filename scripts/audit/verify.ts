import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { auditHead } from '@millrace/contracts/audit/audit-chain.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { openExport } from './open-export.ts'
import { verifyExport } from './verify-export.ts'

const USAGE = `npm run audit:verify -- [--url URL | FILE | -] [--anchor FILE]

Verifies the audit trail: every line follows the one before it by its hash, so that one that was changed, removed, put in or moved is named.
  --url URL      asks a running Millrace (default http://127.0.0.1:8080) for its trail; MILLRACE_API_KEY holds the key of an administrator
  FILE           an export that was kept (GET /api/v1/audit/export); - reads it from the standard input
  --anchor FILE  a head that was kept before (GET /api/v1/audit/head): nothing up to there may have been rewritten or cut off since
Ends with 0 where nothing was tampered with, with 1 where something was, with 2 where the trail could not be read.
`
const SHOWN = 20

async function main(args: readonly string[]): Promise<number> {
  const options = { url: { type: 'string' }, anchor: { type: 'string' }, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const anchor = values.anchor === undefined ? null : readHead(values.anchor)
  const lines = await openExport({ file: positionals[0] ?? null, url: values.url ?? null, key: process.env['MILLRACE_API_KEY'] ?? null })
  const { entries, findings, head } = await verifyExport(lines, anchor)
  if (findings.length === 0) {
    process.stdout.write(`${entries} lines in ${head.chains.length} chains, as they were written. Head ${head.hash} of ${head.at}.\n`)
    return 0
  }
  for (const { kind, chain, seq, id, message } of findings.slice(0, SHOWN)) {
    process.stdout.write(
      `${kind}: line ${seq} of ${chain === '' ? 'the registry itself' : `model '${chain}'`}${id === null ? '' : ` (id ${id})`}: ${message}\n`,
    )
  }
  if (findings.length > SHOWN) process.stdout.write(`and ${findings.length - SHOWN} more\n`)
  return 1
}

const readHead = (path: string) => auditHead.parse({ kind: 'head', ...JSON.parse(readFileSync(path, 'utf8')) })

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`audit:verify: ${messageOf(error)}\n`)
    process.exitCode = 2
  },
)
