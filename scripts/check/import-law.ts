import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
    const arguments_ = [biome, 'lint', '--only=style/noRestrictedImports', '--colors=off', '--max-diagnostics=none', '.']
    const { stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: directory, encoding: 'utf8' })
    const output = stdout + stderr
    const missing = expected.flatMap(({ file, refused }) =>
      refused.filter((module) => !reports(output, directory, file, module)).map((module) => `${module} in ${file}`),
    )
    for (const line of missing) process.stderr.write(`not refused: ${line}\n`)
    if (missing.length > 0) process.stderr.write(output)
    return missing.length === 0
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function reports(output: string, directory: string, file: string, module: string): boolean {
  const line =
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes(`'${module}'`)) + 1
  return output.split('\n').some((text) => text.startsWith(`${file}:${line}:`) && text.includes('lint/style/noRestrictedImports'))
}
