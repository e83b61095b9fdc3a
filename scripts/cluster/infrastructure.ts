import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

const NEEDED = ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL', 'S3_BUCKET']

function readLines(path: string): Record<string, string> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return Object.fromEntries(lines.filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/**
 * How to reach Kafka, PostgreSQL, Redis and S3: as the environment says, where it names them; else the servers that `scripts/infra` runs, which are started
 * when they do not.
 */
export function findInfrastructure(root: string, env: Environment, say: (line: string) => void): Readonly<Record<string, string>> {
  const given = NEEDED.filter((name) => env[name])
  if (given.length === NEEDED.length) return {}
  if (given.length > 0) throw new Error(`${given.join(', ')} is set, but not ${NEEDED.filter((name) => !env[name]).join(', ')}: set all of them, or none`)
  say('Infrastructure: local servers (scripts/infra)')
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/infra/infra.ts'), 'up'], { cwd: root, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the infrastructure could not be started:\n${stderr}`)
  return readLines(join(env['MILLRACE_INFRA_DIR'] || join(root, '.millrace/infra'), 'env'))
}
