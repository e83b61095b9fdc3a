import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { containerPlans } from './container-plans.ts'
import { openContainers, type Testcontainers } from './containers.ts'
import { kafka } from './kafka/kafka.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { s3 } from './s3/s3.ts'
import type { InfraContext } from './server.ts'
import { readSettings, serverNames } from './settings.ts'

const secrets = { kafka: 'kafka-secret', keystore: 'k', postgres: 'p', redis: 'r', s3: 's' }

function contextOf(): InfraContext {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-containers-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return { settings: readSettings({ MILLRACE_INFRA_DIR: directory }, '/'), secrets }
}

/** An engine that keeps what it was asked for. */
function fakeEngine(exitCode = 0) {
  const said: string[] = []
  const running = new Map<string, { readonly id: string }>()
  class GenericContainer {
    readonly #image: string
    #label = ''
    constructor(image: string) {
      this.#image = image
    }
    withLabels(labels: Record<string, string>): this {
      this.#label = Object.values(labels).join()
      return this
    }
    withExposedPorts(...ports: { host: number }[]): this {
      said.push(`ports ${ports.map(({ host }) => host)}`)
      return this
    }
    withAutoCleanup(cleanup: boolean): this {
      said.push(`cleanup ${cleanup}`)
      return this
    }
    withEnvironment = (): this => this
    withEntrypoint = (): this => this
    withCommand = (): this => this
    withCopyContentToContainer = (): this => this
    withHealthCheck = (): this => this
    withWaitStrategy = (): this => this
    withStartupTimeout = (): this => this
    async start() {
      said.push(`start ${this.#image}`)
      running.set(this.#label, { id: `id-of-${this.#image}` })
      return { exec: async (command: string[]) => ({ exitCode, output: `ran ${command[0]}` }) }
    }
  }
  const container = {
    fetchByLabel: async (_label: string, value: string) => running.get(value),
    inspect: async () => ({ State: { Health: { Status: 'healthy' } } }),
    stop: async () => void said.push('stop'),
    remove: async () => running.clear(),
  }
  const engine: Testcontainers = { GenericContainer, Wait: { forHealthCheck: () => ({}) }, getContainerRuntimeClient: async () => ({ container }) }
  return { said, load: async () => engine }
}

test('up starts a container once, down removes it, and it outlives the program that started it', async () => {
  const { said, load } = fakeEngine()
  const [runner, context] = [await openContainers(load), contextOf()]
  expect(await runner.up(redis, context)).toBeGreaterThanOrEqual(0)
  expect(await runner.up(redis, context)).toBeNull()
  expect(said).toEqual(['ports 16379', 'cleanup false', 'start redis:7-bookworm'])
  expect(await runner.status(redis, context)).toBe('answers on 127.0.0.1:16379 (container id-of-redis:)')
  expect([await runner.down(redis, context), await runner.down(redis, context)]).toEqual([true, false])
  expect(await runner.status(redis, context)).toBe('not running')
})

test('a command inside that fails is told with what it said', async () => {
  const runner = await openContainers(fakeEngine(1).load)
  await expect(runner.up(kafka, contextOf())).rejects.toThrow('kafka runs, but /opt/kafka/bin/kafka-configs.sh ended with 1:\nran /opt')
})

test('clients get the same environment lines, and the certificate that they name', async () => {
  const [runner, context] = [await openContainers(fakeEngine().load), contextOf()]
  await runner.up(kafka, context)
  const { KAFKA_SECURE_CA_FILE: file = '', ...lines } = runner.environment(kafka, context)
  expect(existsSync(file)).toBe(true)
  expect(lines).toEqual({
    KAFKA_BROKERS: '127.0.0.1:19092',
    KAFKA_SECURE_BROKERS: '127.0.0.1:19094',
    KAFKA_SECURE_USERNAME: 'millrace',
    KAFKA_SECURE_PASSWORD: secrets.kafka,
  })
  for (const server of [postgres, redis, s3]) expect(runner.environment(server, context)).toEqual(server.environment(context, ''))
})

test('without the package it is said how to get it', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  await expect(openContainers(() => Promise.reject(missing))).rejects.toThrow(
    /needs the package testcontainers, which is not installed: npm install --no-save testcontainers@/,
  )
})

test('images are those of docker-compose.yml, each with a fixed tag', () => {
  const compose = readFileSync(join(import.meta.dirname, '..', '..', 'docker-compose.yml'), 'utf8')
  const context = contextOf()
  for (const name of serverNames) expect(compose).toContain(`image: ${containerPlans[name](context).image}\n`)
})
