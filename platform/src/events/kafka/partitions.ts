import type { IMemberAssignment } from 'kafkajs'
import type { Log } from '../../log.ts'
import type { DeliveredRecord, Receive } from '../event-log.ts'
import { createPartitionQueue, type PartitionQueue } from './partition-queue.ts'

/** A partition that this member holds at the moment. */
export interface Partition {
  readonly topic: string
  readonly partition: number
  readonly queue: PartitionQueue
  /** The offset after the newest record that was fetched; null until the first. */
  fetched: number | null
  /** The offset after the newest record that was received; null until the first. */
  received: number | null
  /** Fetching is halted because too much is waiting. */
  paused: boolean
}

export interface Partitions {
  get(topic: string, partition: number): Partition | undefined
  all(): readonly Partition[]
  /**
   * Takes over an assignment of the group. What stays goes on where it was, with its waiting records; what was taken away is told to stop. Answers what was
   * taken away.
   */
  assign(assignment: IMemberAssignment): readonly Partition[]
  /** A rebalance began: nothing further is begun until the next assignment. */
  hold(): void
  abortAll(): void
  settled(): Promise<void>
}

export interface PartitionsOptions {
  readonly receive: Receive
  readonly log: Log
  readonly onReceived: (partition: Partition, record: DeliveredRecord) => void
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

export function createPartitions({ receive, log, onReceived }: PartitionsOptions): Partitions {
  const held = new Map<string, Partition>()
  /** What is still in hand of partitions that were taken away: they may come back. */
  const leaving = new Map<string, Promise<void>>()

  function add(topic: string, partition: number): void {
    const key = keyOf(topic, partition)
    const queue = createPartitionQueue({
      receive,
      log,
      after: leaving.get(key) ?? Promise.resolve(),
      onReceived(record) {
        created.received = record.offset + 1
        onReceived(created, record)
      },
    })
    const created: Partition = { topic, partition, queue, fetched: null, received: null, paused: false }
    held.set(key, created)
  }

  function remove(key: string, partition: Partition): void {
    partition.queue.abort()
    leaving.set(key, partition.queue.settled())
    held.delete(key)
  }

  return {
    get: (topic, partition) => held.get(keyOf(topic, partition)),
    all: () => [...held.values()],
    assign(assignment) {
      const wanted = Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })))
      const keys = new Set(wanted.map(({ topic, partition }) => keyOf(topic, partition)))
      const revoked = [...held].filter(([key]) => !keys.has(key))
      for (const [key, partition] of revoked) remove(key, partition)
      for (const partition of held.values()) partition.queue.release()
      for (const { topic, partition } of wanted) if (!held.has(keyOf(topic, partition))) add(topic, partition)
      return revoked.map(([, partition]) => partition)
    },
    hold() {
      for (const { queue } of held.values()) queue.hold()
    },
    abortAll() {
      for (const { queue } of held.values()) queue.abort()
    },
    async settled() {
      await Promise.all([...held.values()].map(({ queue }) => queue.settled()))
      await Promise.all(leaving.values())
    },
  }
}
