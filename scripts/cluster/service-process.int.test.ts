import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Role } from '../../platform/src/http/identity.ts'
import { createIdentity } from '../../platform/src/http/signed-identity.ts'
import { openPostgres } from '../../platform/src/sql/postgres.ts'
import { describeWith, kafkaForTests, s3ForTests } from '../../platform/src/testing/real-infrastructure.ts'
import { until } from '../../platform/src/testing/until.ts'
import { isTaken } from '../infra/ask.ts'
import { generateServiceKeys } from '../keys/service-keys.ts'

const root = join(import.meta.dirname, '..', '..')
const { privateKeys, publicKeys } = generateServiceKeys(['tracking', 'registry', 'gateway'])
const stranger = generateServiceKeys(['registry']).privateKeys['registry'] ?? {}

const startTracking = (env: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [join(root, 'services/tracking/src/main.ts')], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })

const identityOf = (service: string, privateKeyJwk = privateKeys[service] ?? {}) => createIdentity({ service, privateKeyJwk, publicJwks: publicKeys })

test('a service without settings ends at once and names all that it lacks', async () => {
  const child = startTracking({})
  const [[code], said] = await Promise.all([once(child, 'exit'), child.stderr ? text(child.stderr) : ''])
  expect(code).toBe(1)
  for (const name of ['SERVICE_PRIVATE_KEY', 'SERVICE_PUBLIC_KEYS', 'KAFKA_BROKERS', 'DATABASE_URL', 'S3_BUCKET']) expect(said).toContain(`${name}: `)
})

describeWith('postgres', (postgres) => {
  const kafka = kafkaForTests()
  const store = s3ForTests()
  const name = `test_${randomUUID().slice(0, 8)}`
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess

  beforeAll(async () => {
    if (!kafka || !store) throw new Error('needs Kafka and S3 beside PostgreSQL: node scripts/infra/infra.ts up')
    const keys = { SERVICE_PRIVATE_KEY: JSON.stringify(privateKeys['tracking']), SERVICE_PUBLIC_KEYS: JSON.stringify(publicKeys) }
    // A schema and a part of the bucket of its own: what others keep there is not this process's to collect.
    const own = { DATABASE_SCHEMA: name, S3_PREFIX: `${name}/`, PORT: String(port), READINESS_DELAY_MS: '300', ...keys }
    child = startTracking({ ...postgres, ...kafka, ...store, ...own })
    await until(() => isTaken(port))
  })
  afterAll(async () => {
    child.kill('SIGKILL')
    const { value, stop } = await openPostgres({ url: String(postgres['DATABASE_URL']), schema: 'public' })
    await value.query(`drop schema if exists ${name} cascade`).finally(stop)
  })

  const createExperiment = async (token: string | null) => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
    const response = await fetch(`${url}/api/2.0/mlflow/experiments/create`, { method: 'POST', headers, body: JSON.stringify({ name: randomUUID() }) })
    await response.body?.cancel()
    return response.status
  }
  const forUser = (service: string, role: Role) => identityOf(service).sign('tracking', { user: 'ada', role })

  test('probes and metrics need no proof', async () => {
    for (const path of ['/health', '/ready', '/metrics']) expect((await fetch(url + path)).status).toBe(200)
  })

  test('a call without a token is refused', async () => {
    expect(await createExperiment(null)).toBe(401)
  })

  test('a service proves who it is with its own key', async () => {
    expect(await createExperiment(await identityOf('registry').sign('tracking'))).toBe(200)
  })

  test('a key that nobody published proves nothing', async () => {
    expect(await createExperiment(await identityOf('registry', stranger).sign('tracking'))).toBe(401)
  })

  test('a token that is meant for another service is refused', async () => {
    expect(await createExperiment(await identityOf('registry').sign('registry'))).toBe(401)
  })

  test('a user is whom the gateway says, with the rights that it says', async () => {
    expect(await createExperiment(await forUser('gateway', 'editor'))).toBe(200)
    expect(await createExperiment(await forUser('gateway', 'viewer'))).toBe(403)
  })

  test('nobody but the gateway may speak for a user', async () => {
    const forged = createIdentity({ service: 'gateway', privateKeyJwk: privateKeys['registry'] ?? {}, publicJwks: publicKeys })
    expect(await createExperiment(await forged.sign('tracking', { user: 'ada', role: 'admin' }))).toBe(401)
    await expect(forUser('registry', 'admin')).rejects.toThrow(/only the gateway can/)
  })

  test('SIGTERM: first not ready, then the end, with code 0', async () => {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await until(async () => (await fetch(`${url}/ready`)).status === 503)
    expect((await exit)[0]).toBe(0)
  })
})
