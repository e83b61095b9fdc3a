import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openContainers } from './containers.ts'
import { kafka } from './kafka/kafka.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { s3 } from './s3/s3.ts'
import { readSecrets } from './secrets.ts'
import { type InfraContext, processes, type Runner, type Server } from './server.ts'
import { readSettings, serverNames } from './settings.ts'

const root = join(import.meta.dirname, '..', '..')
const servers: readonly Server[] = [kafka, postgres, redis, s3]
const USAGE = `node scripts/infra/infra.ts up|down|status [${serverNames.join('|')}]...

up      starts the servers and waits until each answers; prints the environment and writes it to <dir>/env
down    stops what up started; the data stays
status  says what runs; ends with 1 when something does not answer

Without names: all of them. With MILLRACE_INFRA=containers they run in Docker (needs testcontainers). Settings: MILLRACE_INFRA_DIR (default .millrace/infra), MILLRACE_CACHE, MILLRACE_KAFKA_PORT (and _CONTROLLER_, _SECURE_),
MILLRACE_POSTGRES_PORT, MILLRACE_REDIS_PORT, MILLRACE_S3_PORT.
`

function chosen(names: readonly string[]): readonly Server[] {
  const unknown = names.find((name) => !servers.some((server) => server.name === name))
  if (unknown) throw new Error(`there is no server ${unknown}: expected ${serverNames.join(', ')}`)
  return names.length === 0 ? servers : servers.filter((server) => names.includes(server.name))
}

async function runningIn(runner: Runner, context: InfraContext): Promise<readonly Server[]> {
  const running = await Promise.all(servers.map((server) => runner.isRunning(server, context)))
  return servers.filter((_, index) => running[index])
}

/** What runs, as lines for a shell or a `.env` file. */
async function writeEnvironment(runner: Runner, context: InfraContext): Promise<string> {
  const running = await runningIn(runner, context)
  const lines = running.flatMap((server) => Object.entries(runner.environment(server, context)))
  const text = lines.map(([name, value]) => `${name}=${value}\n`).join('')
  writeFileSync(join(context.settings.directory, 'env'), text, { mode: 0o600 })
  return text
}

async function startAll(runner: Runner, context: InfraContext, selected: readonly Server[]): Promise<void> {
  const results = await Promise.allSettled(
    selected.map(async (server) => {
      const tookMs = await runner.up(server, context)
      const took = tookMs === null ? 'runs already' : `answers after ${(tookMs / 1000).toFixed(1)} s`
      process.stderr.write(`${server.name}: ${took} on 127.0.0.1:${context.settings.ports[server.name]}\n`)
    }),
  )
  process.stdout.write(await writeEnvironment(runner, context))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

async function stopAll(runner: Runner, context: InfraContext, selected: readonly Server[]): Promise<void> {
  await Promise.all(
    selected.map(async (server) => {
      const stopped = await runner.down(server, context)
      process.stderr.write(`${server.name}: ${stopped ? 'stopped' : 'was not running'}\n`)
    }),
  )
  if ((await runningIn(runner, context)).length > 0) await writeEnvironment(runner, context)
  else rmSync(join(context.settings.directory, 'env'), { force: true })
}

async function showAll(runner: Runner, context: InfraContext, selected: readonly Server[]): Promise<void> {
  const lines = await Promise.all(selected.map(async (server) => `${server.name}: ${await runner.status(server, context)}`))
  process.stdout.write(`${lines.join('\n')}\n`)
  if (lines.some((line) => !line.includes(': answers on'))) process.exitCode = 1
}

const commands = { up: startAll, down: stopAll, status: showAll }

async function main([command = '', ...names]: readonly string[]): Promise<void> {
  if (!(command === 'up' || command === 'down' || command === 'status')) throw new Error(`expected up, down or status\n\n${USAGE}`)
  const settings = readSettings(process.env, root)
  const runner = process.env['MILLRACE_INFRA'] === 'containers' ? await openContainers() : processes
  await commands[command](runner, { settings, secrets: readSecrets(settings.directory) }, chosen(names))
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`infra: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
