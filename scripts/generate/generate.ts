import { generatedFiles } from './generated-files.ts'
import { staleFiles, writeFiles } from './write-files.ts'

// `node scripts/generate/generate.ts` writes every generated file; with `--check` it only says which are out of date, and fails if any is.
const files = generatedFiles()
if (process.argv.includes('--check')) {
  const stale = await staleFiles(files)
  for (const path of stale) process.stderr.write(`out of date: ${path} (run: npm run generate)\n`)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  await writeFiles(files)
  process.stdout.write(`${files.size} generated files are up to date\n`)
}
