import type { Admin, Kafka } from 'kafkajs'

export interface PartitionRange {
  readonly topic: string
  readonly partition: number
  /** The earliest record that is kept, and the offset after the newest. */
  readonly low: number
  readonly high: number
  /** Where a member of the group begins; the earliest record without a group, and for a new one. */
  readonly committed: number
}

/** A connection of its own for each question: there are few, and one that outlived an outage may be stale. */
export async function withAdmin<T>(client: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

async function committedBy(admin: Admin, group: string, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const answers = await admin.fetchOffsets({ groupId: group, topics: [...topics] })
  return new Map(answers.flatMap(({ topic, partitions }) => partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)])))
}

export async function rangesOf(admin: Admin, topics: readonly string[], group: string | null): Promise<PartitionRange[]> {
  const committed = group === null ? new Map<string, number>() : await committedBy(admin, group, topics)
  const ranges: PartitionRange[] = []
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const next = Math.max(Number(low), committed.get(`${topic}/${partition}`) ?? 0)
      ranges.push({ topic, partition, low: Number(low), high: Number(high), committed: next })
    }
  }
  return ranges
}

/** Records not yet committed by the group, by topic. Records that compaction removed count too. */
export async function lagOf(admin: Admin, group: string, topics: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const lags = new Map(topics.map((topic) => [topic, 0]))
  for (const { topic, high, committed } of await rangesOf(admin, topics, group)) lags.set(topic, (lags.get(topic) ?? 0) + Math.max(0, high - committed))
  return Object.fromEntries(lags)
}
