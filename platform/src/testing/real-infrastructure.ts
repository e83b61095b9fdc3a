import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'vitest'

/** The environment lines that make a server usable, by server. */
const needed = {
  kafka: ['KAFKA_BROKERS'],
  postgres: ['DATABASE_URL'],
  redis: ['REDIS_URL'],
  s3: ['S3_ENDPOINT', 'S3_BUCKET', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
} as const

export type ServerName = keyof typeof needed
/** What the server is reached by: the variables of `needed`, and whatever else was found beside them. */
export type ServerSettings = Readonly<Record<string, string>>

const repository = join(import.meta.dirname, '..', '..', '..')

/** The process's environment, and beneath it what `scripts/infra` wrote when it started servers. */
function readEnvironment(): Readonly<Record<string, string>> {
  const path = join(resolve(repository, process.env['MILLRACE_INFRA_DIR'] || '.millrace/infra'), 'env')
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  const written = lines.flatMap((line): [string, string][] => {
    const at = line.indexOf('=')
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
  })
  const given = Object.entries(process.env).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []))
  return Object.fromEntries([...written, ...given])
}

function settingsOf(server: ServerName): ServerSettings | null {
  const environment = readEnvironment()
  return needed[server].every((name) => environment[name]) ? environment : null
}

export const kafkaForTests = (): ServerSettings | null => settingsOf('kafka')
export const postgresForTests = (): ServerSettings | null => settingsOf('postgres')
export const redisForTests = (): ServerSettings | null => settingsOf('redis')
export const s3ForTests = (): ServerSettings | null => settingsOf('s3')

/**
 * A `describe` for tests that need a real server: `describeWith('kafka', (kafka) => ...)`. Without the server its tests are skipped under a name that says
 * so; with REQUIRE_INFRASTRUCTURE=1, as in CI, that is a failure.
 */
export function describeWith(server: ServerName, suite: (settings: ServerSettings) => void): void {
  const settings = settingsOf(server)
  if (settings) {
    describe(`with a real ${server}`, () => suite(settings))
    return
  }
  const missing = `needs ${server}, which is not there: node scripts/infra/infra.ts up ${server}, or set ${needed[server].join(', ')}`
  if (process.env['REQUIRE_INFRASTRUCTURE'] === '1') {
    test(missing, () => {
      throw new Error(missing)
    })
    return
  }
  describe.skip(missing, () => {
    test('skipped', () => undefined)
  })
}
