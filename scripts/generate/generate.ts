import { readEventSchemas } from '../check/event-history.ts'
import { eventSchemas } from './event-schemas.ts'
import { generatedFiles } from './generated-files.ts'
import { refuseRewrites } from './refuse-rewrites.ts'
import { staleFiles, writeFiles } from './write-files.ts'

const root = new URL('../../', import.meta.url).pathname

// `node scripts/generate/generate.ts` writes every generated file; with `--check` it only says which are out of date, and fails if any is.
// It writes nothing at all where a published event schema would change.
const refusals = refuseRewrites(readEventSchemas(root), eventSchemas())
if (refusals.length > 0) {
  for (const line of refusals) process.stderr.write(`refused: ${line}\n`)
  process.exitCode = 1
} else if (process.argv.includes('--check')) {
  const stale = await staleFiles(generatedFiles(root))
  for (const path of stale) process.stderr.write(`out of date: ${path} (run: npm run generate)\n`)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  const files = generatedFiles(root)
  await writeFiles(files)
  process.stdout.write(`${files.size} generated files are up to date\n`)
}
