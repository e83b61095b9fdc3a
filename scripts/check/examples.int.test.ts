import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelPromoted, modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { encodeEvent } from '@millrace/platform/events/cloudevents.ts'
import type { LogRecord } from '@millrace/platform/events/event-log.ts'
import { connectionTo, newTopic } from '@millrace/platform/events/kafka/broker.fixture.ts'
import { createKafkaLog } from '@millrace/platform/events/kafka/kafka-log.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'examples', 'subscribe-model-promoted')
const golden = JSON.parse(readFileSync(join(root, 'contracts/golden', modelPromoted.type, '0/first.json'), 'utf8'))

function recordOf(type: string, data: unknown): LogRecord {
  const source = '/millrace/registry'
  const time = new Date('2026-01-01T00:00:00.000Z')
  return encodeEvent({ id: `e-${type}`, source, type, subject: 'fish', time, dataschema: 'https://schemas.millrace.io/x', extensions: {}, data })
}
const promoted = (generation: number, more: object = {}): LogRecord => recordOf(modelPromoted.type, { ...golden, model: 'fish', generation, ...more })

/** Starts the example as its README says and collects what it prints. */
function startExample(environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['subscribe.ts'], { cwd: folder, env: { ...process.env, ...environment } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const printed = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()))
  return { child, printed }
}

test('the example needs the client of the very version that is tested here, and is 20 lines', () => {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const installed = JSON.parse(readFileSync(join(root, 'platform/package.json'), 'utf8'))
  expect(dependencies).toEqual({ kafkajs: installed.dependencies.kafkajs })
  const lines = readFileSync(join(folder, 'subscribe.ts'), 'utf8').split('\n')
  expect(lines.filter((line) => line !== '')).toHaveLength(20)
})

describeWith('kafka', ({ KAFKA_BROKERS = '' }) => {
  test('the example says each promotion once, and passes over other events, new fields, repetitions and bytes that are no JSON', async () => {
    const connection = connectionTo(KAFKA_BROKERS)
    const topic = await newTopic(connection, 1)
    const { value: eventLog, stop } = createKafkaLog({ connection, log: silentLog, onFatal: () => undefined })
    onTestFinished(stop)
    const broken = { ...promoted(1), value: Buffer.from('{') }
    const others = [recordOf(modelVersionDeleted.type, {}), recordOf('io.millrace.model.unheardof.v1', []), broken]
    await eventLog.publish(topic, [...others, promoted(1), promoted(1), promoted(2, { addedLater: { deep: true } })])

    const { child, printed } = startExample({ KAFKA_BROKERS, TOPIC: topic, GROUP: `${topic}.group` })
    await until(() => printed.out.includes('generation 2'), { timeoutMs: 60_000 })
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')

    expect(printed.out.trimEnd().split('\n')).toEqual([1, 2].map((n) => `fish: version 2 serves from generation ${n} on (all gates passed)`))
    expect(printed.err).toContain('offset 2 cannot be read')
    expect(code).toBe(0)
  })
})
