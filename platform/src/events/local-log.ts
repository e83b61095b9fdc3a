import type { Started } from '../component.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { DeliveredRecord, EventLog, LogRecord, Receive } from './event-log.ts'
import { createLease, type Lease } from './lease.ts'
import { createFollower, type Follower } from './local-follower.ts'
import type { LogStore } from './log-store.ts'
import { createCommitter } from './offset-committer.ts'
import { pauseFor } from './signal.ts'

export interface LocalLogOptions {
  readonly store: LogStore
  readonly log: Log
  /** A publish wakes the readers at once; this is how often they look without one. */
  readonly pollMs: number
}

/** As Kafka's default, so that what fits here fits there. */
const MAX_RECORD_BYTES = 1024 * 1024
const READ_TO_END_LIMIT = 1000
const STORE_PAUSE_MS = 500

function refuseOversized(topic: string, records: readonly LogRecord[]): void {
  for (const { key, value, headers } of records) {
    const sizeBytes = (value?.byteLength ?? 0) + Buffer.byteLength(key ?? '') + Buffer.byteLength(JSON.stringify(headers))
    if (sizeBytes > MAX_RECORD_BYTES) {
      throw new AppError('PAYLOAD_TOO_LARGE', `A record of ${sizeBytes} bytes for ${topic} is over the limit of ${MAX_RECORD_BYTES}: send less in one record`)
    }
  }
}

/** The `EventLog` within one process: one partition per topic, and publishers wake readers directly, so that delivery takes about a millisecond. */
export function createLocalLog(options: LocalLogOptions): Started<EventLog> {
  const { store } = options
  const follower = createFollower(store, options.log, options.pollMs)
  const subscriptions = createSubscriptions(options.log)
  const followInGroup = createGroups(options, follower)
  const value: EventLog = {
    async publish(topic, records) {
      refuseInsideTransaction('publishing to the event log')
      refuseOversized(topic, records)
      if (records.length === 0) return
      await store.append(topic, records)
      follower.wake(topic)
    },
    async subscribe({ group, topics, receive }) {
      return subscriptions.start((signal) => Promise.all(topics.map((topic) => followInGroup(group, topic, receive, signal))))
    },
    async broadcast({ topics, receive, caughtUp }) {
      const reached = createCatchUp(await endsOf(store, topics), caughtUp)
      const follow = (topic: string, signal: AbortSignal): Promise<void> => {
        const onReceived = (next: number): void => reached(topic, next)
        return follower.follow({ topic, receive, signal, onReceived, onIdle: () => reached(topic, Number.POSITIVE_INFINITY) }, 0)
      }
      return subscriptions.start((signal) => Promise.all(topics.map((topic) => follow(topic, signal))))
    },
    readToEnd: (topic) => readToEnd(store, topic),
    async lag(group, topics) {
      const counts = topics.map(async (topic) => [topic, await store.count(topic, await store.committed(group, topic))] as const)
      return Object.fromEntries(await Promise.all(counts))
    },
  }
  return { value, stop: subscriptions.stop }
}

async function endsOf(store: LogStore, topics: readonly string[]): Promise<Map<string, number>> {
  return new Map(await Promise.all(topics.map(async (topic) => [topic, await store.end(topic)] as const)))
}

/** Calls `caughtUp` once, when every topic was received up to where it ended at the start, or had nothing (any more). */
function createCatchUp(behind: Map<string, number>, caughtUp: (() => void) | undefined): (topic: string, next: number) => void {
  return (topic, next) => {
    const end = behind.get(topic)
    if (end === undefined || next < end) return
    behind.delete(topic)
    if (behind.size === 0) caughtUp?.()
  }
}

async function readToEnd(store: LogStore, topic: string): Promise<DeliveredRecord[]> {
  const end = await store.end(topic)
  const all: DeliveredRecord[] = []
  for (let next = 0; next < end; next = (all.at(-1)?.offset ?? end) + 1) {
    const records = await store.read(topic, next, READ_TO_END_LIMIT)
    if (records.length === 0) break
    all.push(...records)
  }
  return all.filter((record) => record.offset < end)
}

interface Subscriptions {
  start(run: (signal: AbortSignal) => Promise<unknown>): Started<null>
  stop(): Promise<void>
}

function createSubscriptions(log: Log): Subscriptions {
  const stops = new Set<() => Promise<void>>()
  return {
    start(run) {
      const stopping = new AbortController()
      const running = run(stopping.signal).catch((error: unknown) => log.error('A subscription ended', { error }))
      const stop = async (): Promise<void> => {
        stopping.abort()
        await running
        stops.delete(stop)
      }
      stops.add(stop)
      return { value: null, stop }
    },
    async stop() {
      await Promise.all([...stops].map((stop) => stop()))
    },
  }
}

type FollowInGroup = (group: string, topic: string, receive: Receive, signal: AbortSignal) => Promise<void>

/** One member of a group at a time holds a topic; the others take over when it leaves. */
function createGroups({ store, log }: LocalLogOptions, follower: Follower): FollowInGroup {
  const leases = new Map<string, Lease>()

  async function startOffset(group: string, topic: string, signal: AbortSignal): Promise<number> {
    for (;;) {
      try {
        return await store.committed(group, topic)
      } catch (error) {
        if (signal.aborted) return 0
        log.warn('The offset of a group cannot be read and is tried again', { group, topic, reason: messageOf(error) })
        await pauseFor(STORE_PAUSE_MS, signal)
      }
    }
  }

  return async function followInGroup(group, topic, receive, signal) {
    const name = JSON.stringify([group, topic])
    const lease = leases.get(name) ?? createLease()
    leases.set(name, lease)
    if (!(await lease.acquire(signal))) return
    const committer = createCommitter((next) => store.commit(group, topic, next), log)
    try {
      const from = await startOffset(group, topic, signal)
      await follower.follow({ topic, receive, signal, onReceived: committer.commit, onIdle: () => undefined }, from)
      await committer.drain()
    } finally {
      lease.release()
    }
  }
}
