import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The modules that each deliberately bad file must be refused for. */
const expected = [
  { file: 'services/registry/src/domain/impure.ts', refused: ['node:fs', '@millrace/platform/clock.ts'] },
  { file: 'services/registry/src/knows-its-sibling.ts', refused: ['@millrace/platform/sql/pglite.ts', '@millrace/tracking'] },
  { file: 'contracts/src/not-only-zod.ts', refused: ['@millrace/platform/clock.ts'] },
]

/** Lints copies of the bad files, at the paths they pretend to be, under the project's own rules: a law that refuses nothing is no law. */
export function refusesBadImports(root: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-import-law-'))
  try {
    cpSync(join(root, 'scripts/check/bad'), directory, { recursive: true })
    for (const file of ['biome.json', '.gitignore']) cpSync(join(root, file), join(directory, file))
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    const { stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', '--only=noRestrictedImports', '--reporter=github', '.'], {
      cwd: directory,
      encoding: 'utf8',
    })
    const missing = expected.flatMap(({ file, refused }) => refused.filter((module) => !reports(stdout, file, module)).map((module) => `${module} in ${file}`))
    for (const line of missing) process.stderr.write(`not refused: ${line}\n`)
    if (missing.length > 0) process.stderr.write(stdout + stderr)
    return missing.length === 0
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function reports(output: string, file: string, module: string): boolean {
  return output.split('\n').some((line) => line.includes('noRestrictedImports') && line.includes(file) && line.includes(module))
}
