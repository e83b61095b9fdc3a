import { setTimeout as pause } from 'node:timers/promises'
import { deadLetterTopic, deadLetterTopicOf, type Topic } from '@millrace/contracts/events/topics.ts'
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs'
import type { Log } from '../../log.ts'
import { createClient, type KafkaConnection } from './connection.ts'
import { withAdmin } from './offsets.ts'
import { defaultKafkaTiming } from './timing.ts'

export interface TopicDifference {
  readonly topic: string
  /** `partitions`, `replication` or the name of a topic configuration. */
  readonly setting: string
  readonly expected: string
  readonly actual: string
}

export interface EnsuredTopics {
  readonly created: readonly string[]
  /** Existing topics that are not as they should be. They are left alone: changing partitions moves keys, changing retention deletes. */
  readonly different: readonly TopicDifference[]
}

const HOUR_MS = 3_600_000

function configurationOf({ cleanup, retentionMs }: Topic, replication: number): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': cleanup,
    'retention.ms': String(retentionMs ?? -1),
    // Compaction leaves the segment that is written alone; late readers still see deletions for a day.
    ...(cleanup === 'compact' ? { 'segment.ms': String(HOUR_MS), 'delete.retention.ms': String(24 * HOUR_MS) } : {}),
    ...(replication > 2 ? { 'min.insync.replicas': '2' } : {}),
  }
}

/** Creates what is missing of the topics and their dead-letter topics; reports, and does not touch, what exists and differs. */
export function ensureTopics(
  connection: KafkaConnection,
  topics: Readonly<Record<string, Topic>>,
  options: { readonly replication: number; readonly log: Log },
): Promise<EnsuredTopics> {
  const wanted = Object.entries(topics).flatMap(([name, topic]): [string, Topic][] => [
    [name, topic],
    [deadLetterTopicOf(name), deadLetterTopic],
  ])
  return withAdmin(createClient(connection, options.log, defaultKafkaTiming), async (admin) => {
    const existing = new Set(await admin.listTopics())
    const missing = wanted.filter(([name]) => !existing.has(name))
    const created: string[] = []
    for (const [name, topic] of missing) {
      if (await create(admin, name, topic, options.replication)) created.push(name)
    }
    await waitForLeaders(admin, created)
    const present = wanted.filter(([name]) => existing.has(name))
    return { created, different: present.length === 0 ? [] : await differencesOf(admin, present, options.replication) }
  })
}

/** False when another was faster. */
function create(admin: Admin, name: string, topic: Topic, replication: number): Promise<boolean> {
  const configEntries = Object.entries(configurationOf(topic, replication)).map(([key, value]) => ({ name: key, value }))
  const config: ITopicConfig = { topic: name, numPartitions: topic.partitions, replicationFactor: replication, configEntries }
  return admin.createTopics({ topics: [config], waitForLeaders: false })
}

const LEADERS_WITHIN_MS = 60_000

/** A busy broker says for a while that it knows nothing of a topic which it has just created; kafkajs's own wait takes that for an answer. */
async function waitForLeaders(admin: Admin, names: readonly string[]): Promise<void> {
  const deadline = performance.now() + LEADERS_WITHIN_MS
  while (names.length > 0) {
    const failure = await leaderless(admin, names)
    if (failure === null) return
    if (performance.now() > deadline) throw failure
    await pause(200)
  }
}

const NOT_YET = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']

/** Null when each partition has a leader, else what is missing. */
async function leaderless(admin: Admin, names: readonly string[]): Promise<Error | null> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
    const waiting = topics.filter(({ partitions }) => partitions.length === 0 || partitions.some(({ leader }) => leader < 0))
    return waiting.length === 0 ? null : new Error(`topics without a leader: ${waiting.map(({ name }) => name).join(', ')}`)
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSProtocolError && NOT_YET.includes(error.type)) return error
    throw error
  }
}

async function differencesOf(admin: Admin, wanted: readonly [string, Topic][], replication: number): Promise<TopicDifference[]> {
  const names = wanted.map(([name]) => name)
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: names })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  })
  return wanted.flatMap(([name, topic]) => {
    const partitions = metadata.find((item) => item.name === name)?.partitions ?? []
    const entries = resources.find((item) => item.resourceName === name)?.configEntries ?? []
    const actual: Record<string, string> = {
      partitions: String(partitions.length),
      replication: String(partitions[0]?.replicas.length ?? 0),
      ...Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    }
    const expected = { partitions: String(topic.partitions), replication: String(replication), ...configurationOf(topic, replication) }
    return Object.entries(expected).flatMap(([setting, value]) =>
      actual[setting] === value ? [] : [{ topic: name, setting, expected: value, actual: actual[setting] ?? 'not set' }],
    )
  })
}
