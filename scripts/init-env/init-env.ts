import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serviceNames } from '../cluster/plan.ts'
import { completeEnvironment } from './environment-file.ts'

const path = join(import.meta.dirname, '..', '..', '.env')
const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
const { text, added } = completeEnvironment(before, serviceNames)
writeFileSync(path, text, { mode: 0o600 })
process.stdout.write(
  added.length === 0
    ? '.env has everything already\n'
    : `.env: ${added.length} generated settings added, what was there is kept\nStart with: docker compose up -d\n`,
)
