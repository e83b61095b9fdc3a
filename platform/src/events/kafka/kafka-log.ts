import { randomUUID } from 'node:crypto'
import type { Started } from '../../component.ts'
import { messageOf, TransientError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { refuseInsideTransaction } from '../../sql/sql.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { DeliveredRecord, EventLog, Receive } from '../event-log.ts'
import { createClient, endlessRetry, type KafkaConnection } from './connection.ts'
import { type MemberOptions, startMember } from './member.ts'
import { createMeters } from './meters.ts'
import { lagOf, type PartitionRange, rangesOf, withAdmin } from './offsets.ts'
import { createPublisher } from './publisher.ts'
import { defaultKafkaTiming, type KafkaTiming } from './timing.ts'

export interface KafkaLogOptions {
  readonly connection: KafkaConnection
  readonly log: Log
  readonly metrics?: Metrics
  readonly timing?: Partial<KafkaTiming>
  /** A consumer ended for good, or stands still: the process must end and be started anew. May be called more than once. */
  readonly onFatal: (error: Error) => void
}

/**
 * The event log on Kafka. Nothing here waits for the brokers to be there: publishing is tried for a while and then reported as transient, followers start
 * when they can. Delivery is at least once.
 */
export function createKafkaLog(options: KafkaLogOptions): Started<EventLog> {
  const { connection, log, metrics, onFatal } = options
  const timing = { ...defaultKafkaTiming, ...options.timing }
  const client = createClient(connection, log, timing)
  const endlessClient = createClient(connection, log, timing, endlessRetry)
  const publisher = createPublisher(client, timing)
  const members = new Set<Started<null>>()

  function follow(member: Pick<MemberOptions, 'groupId' | 'topics' | 'receive' | 'commits'> & Partial<MemberOptions>): Started<null> {
    const meters = createMeters(metrics ?? null, member.commits ? member.groupId : 'broadcast')
    const started = startMember({ client, endlessClient, log, timing, onFatal, meters, ...member })
    members.add(started)
    return {
      value: null,
      async stop() {
        members.delete(started)
        await started.stop()
      },
    }
  }

  /** A group of its own for each, new at every start: a member that died would keep the partition of a lasting one until its session ends. */
  function broadcast(topics: readonly string[], receive: Receive, caughtUp: () => void): Started<null> {
    const target = createTarget(caughtUp)
    return follow({ groupId: `${connection.clientId}-${randomUUID()}`, topics, receive, commits: false, onStart: target.set, onPosition: target.reached })
  }

  const value: EventLog = {
    async publish(topic, records) {
      refuseInsideTransaction('publishing to the event log')
      if (records.length > 0) await publisher.value(topic, records)
    },
    subscribe: async ({ group, topics, receive }) => follow({ groupId: group, topics, receive, commits: true }),
    broadcast: async ({ topics, receive, caughtUp = () => undefined }) => broadcast(topics, receive, caughtUp),
    async readToEnd(topic) {
      const ranges = await asTransient(() => withAdmin(client, (admin) => rangesOf(admin, [topic], null)))
      if (ranges.every(({ low, high }) => low >= high)) return []
      const { promise: atEnd, resolve } = Promise.withResolvers<void>()
      const records: DeliveredRecord[] = []
      const reader = broadcast([topic], async (record) => void records.push(record), resolve)
      await atEnd
      await reader.stop()
      const ends = new Map(ranges.map(({ partition, high }) => [partition, high]))
      return records.filter(({ partition, offset }) => offset < (ends.get(partition) ?? 0)).sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    },
    lag: (group, topics) => asTransient(() => withAdmin(client, (admin) => lagOf(admin, group, topics))),
  }
  return {
    value,
    async stop() {
      await Promise.all([...members].map((member) => member.stop()))
      await publisher.stop()
    },
  }
}

async function asTransient<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw new TransientError(`the brokers do not answer: ${messageOf(error)}`, { cause: error })
  }
}

interface Target {
  set(ranges: readonly PartitionRange[]): void
  reached(topic: string, partition: number, next: number): void
}

/** Calls `caughtUp` once, when every partition has reached what was its end at the first `set`. */
function createTarget(caughtUp: () => void): Target {
  let open: Map<string, number> | null = null
  let done = false
  const settle = (): void => {
    if (done || !open || open.size > 0) return
    done = true
    caughtUp()
  }
  return {
    set(ranges) {
      open ??= new Map(ranges.filter(({ low, high }) => low < high).map(({ topic, partition, high }) => [`${topic}/${partition}`, high]))
      settle()
    },
    reached(topic, partition, next) {
      const key = `${topic}/${partition}`
      if (next >= (open?.get(key) ?? Number.POSITIVE_INFINITY)) open?.delete(key)
      settle()
    },
  }
}
