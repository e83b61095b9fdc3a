import { randomUUID } from 'node:crypto'
import { topics as catalogue, type Topic } from '@millrace/contracts/events/topics.ts'
import { expect, test } from 'vitest'
import { silentLog } from '../../log.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { connectionTo } from './broker.fixture.ts'
import { ensureTopics } from './ensure-topics.ts'

const HOUR_MS = 3_600_000

describeWith('kafka', ({ KAFKA_BROKERS = '' }) => {
  const connection = connectionTo(KAFKA_BROKERS)
  const ensure = (topics: Readonly<Record<string, Topic>>) => ensureTopics(connection, topics, { replication: 1, log: silentLog })
  const named = (name: string, topic: Partial<Topic>): Record<string, Topic> => ({
    [name]: { cleanup: 'delete', retentionMs: HOUR_MS, partitions: 2, writer: 'tests', ...topic },
  })

  test('makes a topic and its dead-letter topic once', async () => {
    const name = `ensured-${randomUUID()}`
    expect(await ensure(named(name, {}))).toEqual({ created: [name, `${name}.dlq`], different: [] })
    expect(await ensure(named(name, {}))).toEqual({ created: [], different: [] })
  })

  test('reports what differs and leaves it as it is', async () => {
    const name = `differs-${randomUUID()}`
    await ensure(named(name, {}))
    const wanted = named(name, { partitions: 3, cleanup: 'compact', retentionMs: null })
    const { created, different } = await ensure(wanted)
    expect(created).toEqual([])
    expect(different).toEqual([
      { topic: name, setting: 'partitions', expected: '3', actual: '2' },
      { topic: name, setting: 'cleanup.policy', expected: 'compact', actual: 'delete' },
      { topic: name, setting: 'retention.ms', expected: '-1', actual: String(HOUR_MS) },
      { topic: name, setting: 'segment.ms', expected: String(HOUR_MS), actual: String(7 * 24 * HOUR_MS) },
    ])
    expect((await ensure(wanted)).different).toEqual(different)
  })

  test('two that make the same topics at once do not disturb each other', async () => {
    const name = `raced-${randomUUID()}`
    const results = await Promise.all([ensure(named(name, {})), ensure(named(name, {}))])
    expect(results.flatMap(({ created }) => created).toSorted()).toEqual([name, `${name}.dlq`])
  })

  test('the catalogue is what the broker makes of it', async () => {
    await ensure(catalogue)
    expect(await ensure(catalogue)).toEqual({ created: [], different: [] })
  })
})
