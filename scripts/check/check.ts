import { spawnSync } from 'node:child_process'
import { refusesBadImports } from './import-law.ts'
import { keepsItsPromises } from './published-contracts.ts'

const root = new URL('../../', import.meta.url).pathname

interface Step {
  readonly name: string
  readonly passes: () => boolean
}

function runs(script: string, ...args: string[]): boolean {
  return spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' }).status === 0
}

const steps: readonly Step[] = [
  { name: 'format and lint (biome)', passes: () => runs('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings') },
  { name: 'import law refuses the bad fixtures', passes: () => refusesBadImports(root) },
  { name: 'types (tsc)', passes: () => runs('node_modules/typescript/bin/tsc', '-p', '.') },
  { name: 'dead code (knip)', passes: () => runs('node_modules/knip/bin/knip.js') },
  { name: 'generated files are up to date', passes: () => runs('scripts/generate/generate.ts', '--check') },
  { name: 'published events keep their promises', passes: () => keepsItsPromises(root) },
]

const failed = steps.filter((step) => {
  const started = Date.now()
  const passed = step.passes()
  process.stdout.write(`${passed ? 'ok  ' : 'FAIL'} ${step.name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
  return !passed
})
process.exitCode = failed.length > 0 ? 1 : 0
