import type { Consumer, EachBatchPayload, IMemberAssignment, Kafka } from 'kafkajs'
import type { Started } from '../../component.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Receive } from '../event-log.ts'
import { fullJitterMs, pauseFor } from '../signal.ts'
import { type CommitOffsets, createGroupOffsets } from './group-offsets.ts'
import type { Meters } from './meters.ts'
import { createPartitions, type Partition } from './partitions.ts'
import { watchProgress } from './progress.ts'
import { fromMessage } from './record.ts'
import type { KafkaTiming } from './timing.ts'

export interface MemberOptions {
  readonly client: Kafka
  readonly groupId: string
  readonly topics: readonly string[]
  readonly receive: Receive
  /** Whether members of the group share its offsets; else positions live and die with this member. */
  readonly commits: boolean
  /** Runs before the member first fetches; a throw is tried again. */
  readonly prepare?: () => Promise<void>
  /** All up to this offset was fetched and received. */
  readonly onPosition?: (topic: string, partition: number, next: number) => void
  readonly log: Log
  readonly meters: Meters
  readonly timing: KafkaTiming
  readonly onFatal: (error: Error) => void
}

/** Fetching a partition halts when this many records wait, and goes on when half are received. */
const MOST_WAITING = 2000
const PATIENT = { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2000, multiplier: 2, factor: 0.2 }
const FINAL_COMMIT_MS = 2000
const LEAVE_MS = 5000

/** One member of a consumer group. It starts in the background and outlives any outage; only a client that gave up for good ends in `onFatal`. */
export function startMember(options: MemberOptions): Started<null> {
  const { client, groupId, topics, timing, log, meters } = options
  const stopping = new AbortController()
  let consumer: Consumer | null = null
  let joined: Promise<void> = Promise.resolve()
  let commit: CommitOffsets = () => Promise.reject(new Error('not a member yet'))
  const offsets = options.commits ? createGroupOffsets((batch) => commit(batch), log) : null

  const partitions = createPartitions({
    receive: options.receive,
    log,
    onReceived(partition, record) {
      offsets?.received(record)
      options.onPosition?.(partition.topic, partition.partition, record.offset + 1)
      if (partition.paused && partition.queue.waiting <= MOST_WAITING / 2) resume(partition)
    },
  })

  function resume(partition: Partition): void {
    partition.paused = false
    try {
      consumer?.resume([{ topic: partition.topic, partitions: [partition.partition] }])
    } catch (error) {
      // The client is between two lives; it halts nothing in its next one.
      log.debug('A partition could not be resumed', { topic: partition.topic, reason: messageOf(error) })
    }
  }

  /** The client must not see a throw: it would take it for a reason to die, or to deliver the batch for ever. */
  function guarded<Payload>(work: (payload: Payload) => void): (payload: Payload) => void {
    return (payload) => {
      try {
        work(payload)
      } catch (cause) {
        fail(new Error(`a Kafka consumer cannot go on: ${messageOf(cause)}`, { cause }))
      }
    }
  }

  function onBatch({ batch, commitOffsetsIfNecessary }: EachBatchPayload): void {
    const partition = partitions.get(batch.topic, batch.partition)
    if (!partition) return
    commit = commitOffsetsIfNecessary
    // A log that is shorter than what was read of it is a new one under the old name.
    const from = Number(batch.highWatermark) < (partition.fetched ?? 0) ? 0 : (partition.fetched ?? 0)
    const records = batch.messages.filter(({ offset }) => Number(offset) >= from).map((message) => fromMessage(batch.topic, batch.partition, message))
    partition.fetched = Number(batch.lastOffset()) + 1
    partition.queue.push(records)
    if (partition.paused || partition.queue.waiting <= MOST_WAITING) return
    partition.paused = true
    consumer?.pause([{ topic: batch.topic, partitions: [batch.partition] }])
  }

  /** Sent before the client asks to join again, on the same connection: the broker still takes it. */
  function onRebalance(): void {
    meters.event('rebalance')
    partitions.hold()
    offsets?.flush()
  }

  function onJoin(assignment: IMemberAssignment): void {
    meters.event('join')
    for (const { topic, partition } of partitions.assign(assignment)) offsets?.forget(topic, partition)
    for (const partition of partitions.all()) {
      if (partition.fetched !== null) consumer?.seek({ topic: partition.topic, partition: partition.partition, offset: String(partition.fetched) })
      resume(partition)
    }
  }

  /** Records that compaction removed move the position without a batch for `onBatch`. */
  function onBatchEnd(topic: string, number: number, next: number): void {
    const partition = partitions.get(topic, number)
    if (!partition) return
    partition.fetched = Math.max(partition.fetched ?? 0, next)
    if (partition.queue.waiting === 0) options.onPosition?.(topic, number, next)
  }

  function listen(created: Consumer): void {
    const { GROUP_JOIN, REBALANCING, CRASH, END_BATCH_PROCESS, REQUEST_TIMEOUT } = created.events
    created.on(
      GROUP_JOIN,
      guarded(({ payload }) => onJoin(payload.memberAssignment)),
    )
    created.on(REBALANCING, guarded(onRebalance))
    created.on(
      END_BATCH_PROCESS,
      guarded(({ payload }) => onBatchEnd(payload.topic, payload.partition, Number(payload.lastOffset) + 1)),
    )
    created.on(REQUEST_TIMEOUT, () => meters.event('request-timeout'))
    created.on(CRASH, ({ payload }) => {
      meters.event(payload.restart ? 'crash' : 'fatal')
      if (!payload.restart && !stopping.signal.aborted) fail(payload.error)
    })
  }

  function fail(error: Error): void {
    log.error('A Kafka consumer ended for good', { group: groupId, error })
    options.onFatal(error)
  }

  async function connect(): Promise<void> {
    const created = client.consumer({
      groupId,
      sessionTimeout: timing.sessionTimeoutMs,
      heartbeatInterval: timing.heartbeatIntervalMs,
      rebalanceTimeout: timing.rebalanceTimeoutMs,
      maxWaitTimeInMs: timing.maxWaitMs,
      allowAutoTopicCreation: false,
      retry: { ...PATIENT, restartOnFailure: async () => !stopping.signal.aborted },
    })
    consumer = created
    try {
      await options.prepare?.()
      await created.connect()
      await created.subscribe({ topics: [...topics], fromBeginning: true })
      listen(created)
    } catch (error) {
      await created.disconnect().catch(() => undefined)
      throw error
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      try {
        await connect()
        // Resolves after the first join, which may wait for a broker for ever; it never rejects.
        const eachBatch = guarded(onBatch)
        if (!stopping.signal.aborted) joined = consumer?.run({ autoCommit: false, eachBatch: async (payload) => eachBatch(payload) }) ?? joined
        return
      } catch (error) {
        log.warn('Kafka cannot be followed yet and is tried again', { group: groupId, topics, reason: messageOf(error) })
        await pauseFor(100 + fullJitterMs(failures, 200, 2000), stopping.signal)
      }
    }
  }

  const running = run()
  const progress = watchProgress({ ...options, partitions, onStuck: fail })
  return {
    value: null,
    async stop() {
      stopping.abort()
      partitions.abortAll()
      await Promise.all([progress.stop(), running])
      await partitions.settled()
      await offsets?.drain(FINAL_COMMIT_MS)
      await leave(consumer, joined, log)
    },
  }
}

/**
 * Leaving tells the others at once; a broker that does not answer will find out by itself. A client that is left while it still joins would join after all,
 * and hold partitions that nobody reads.
 */
async function leave(consumer: Consumer | null, joined: Promise<void>, log: Log): Promise<void> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, LEAVE_MS)
  const left = joined
    .then(() => consumer?.disconnect())
    .catch((error: unknown) => log.warn('A consumer could not leave its group', { reason: messageOf(error) }))
  await Promise.race([left, tooLong])
  clearTimeout(timer)
}
