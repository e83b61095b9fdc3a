import type { Consumer, EachBatchPayload, IMemberAssignment } from 'kafkajs'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Receive } from '../event-log.ts'
import { type CommitOffsets, createGroupOffsets, type GroupOffsets } from './group-offsets.ts'
import type { Meters } from './meters.ts'
import { createPartitions, type Partition, type Partitions } from './partitions.ts'
import { fromMessage } from './record.ts'

export interface FetchingOptions {
  readonly receive: Receive
  /** Whether members of the group share its offsets; else positions live and die with this member. */
  readonly commits: boolean
  /** All up to this offset was fetched and received. */
  readonly onPosition?: (topic: string, partition: number, next: number) => void
  readonly log: Log
  readonly meters: Meters
}

/** What a member holds, across all lives of its client's consumer. */
export interface Fetching {
  readonly partitions: Partitions
  /** Null where positions are not shared. */
  readonly offsets: GroupOffsets | null
  /** Listens to a new life of the consumer. */
  attach(consumer: Consumer): void
  onBatch(payload: EachBatchPayload): void
}

interface State {
  readonly options: FetchingOptions
  readonly partitions: Partitions
  readonly offsets: GroupOffsets | null
  consumer: Consumer | null
  commit: CommitOffsets
}

/** Fetching a partition halts when this many records wait, and goes on when half are received. */
const MOST_WAITING = 2000

/**
 * Takes what the client fetches into queues of its own, and keeps those in step with the assignments of the group. `fail` is told of what it cannot handle:
 * the client must not see a throw, it would take it for a reason to die, or to deliver the batch for ever.
 */
export function createFetching(options: FetchingOptions, fail: (error: Error) => void): Fetching {
  const offsets = options.commits ? createGroupOffsets((batch) => state.commit(batch), options.log) : null
  const partitions = createPartitions({
    ...options,
    onReceived(partition, record) {
      offsets?.received(record)
      options.onPosition?.(partition.topic, partition.partition, record.offset + 1)
      if (partition.paused && partition.queue.waiting <= MOST_WAITING / 2) resume(state, partition)
    },
  })
  const state: State = { options, partitions, offsets, consumer: null, commit: () => Promise.reject(new Error('not a member yet')) }

  const guarded =
    <Payload>(work: (payload: Payload) => void) =>
    (payload: Payload): void => {
      try {
        work(payload)
      } catch (cause) {
        fail(new Error(`a Kafka consumer cannot go on: ${messageOf(cause)}`, { cause }))
      }
    }

  return {
    partitions,
    offsets,
    attach(consumer) {
      state.consumer = consumer
      const { GROUP_JOIN, REBALANCING, END_BATCH_PROCESS, REQUEST_TIMEOUT } = consumer.events
      const onEnd = guarded(({ topic, partition, lastOffset }: Parameters<typeof onBatchEnd>[1]) => onBatchEnd(state, { topic, partition, lastOffset }))
      const onAssignment = guarded((assignment: IMemberAssignment) => onJoin(state, assignment))
      consumer.on(GROUP_JOIN, ({ payload }) => onAssignment(payload.memberAssignment))
      consumer.on(
        REBALANCING,
        guarded(() => onRebalance(state)),
      )
      consumer.on(END_BATCH_PROCESS, ({ payload }) => onEnd(payload))
      consumer.on(REQUEST_TIMEOUT, () => options.meters.event('request-timeout'))
    },
    onBatch: guarded((payload) => onBatch(state, payload)),
  }
}

function resume({ consumer, options }: State, partition: Partition): void {
  partition.paused = false
  try {
    consumer?.resume([{ topic: partition.topic, partitions: [partition.partition] }])
  } catch (error) {
    // The client is between two lives; it halts nothing in its next one.
    options.log.debug('A partition could not be resumed', { topic: partition.topic, reason: messageOf(error) })
  }
}

function onBatch(state: State, { batch, commitOffsetsIfNecessary }: EachBatchPayload): void {
  const { topic, partition: number, highWatermark, messages } = batch
  const partition = state.partitions.get(topic, number)
  if (!partition) return
  state.commit = commitOffsetsIfNecessary
  const fetched = partition.fetched ?? 0
  // A log that is shorter than what was read of it is a new one under the old name.
  const from = Number(highWatermark) < fetched ? 0 : fetched
  partition.fetched = Number(batch.lastOffset()) + 1
  partition.queue.push(messages.filter(({ offset }) => Number(offset) >= from).map((message) => fromMessage(topic, number, message)))
  if (partition.paused || partition.queue.waiting <= MOST_WAITING) return
  partition.paused = true
  state.consumer?.pause([{ topic, partitions: [number] }])
}

/** Offsets are sent before the client asks to join again, on the same connection: the broker still takes them. */
function onRebalance({ partitions, offsets, options }: State): void {
  options.meters.event('rebalance')
  partitions.hold()
  offsets?.flush()
}

/** What stays with this member goes on where it was; the client would begin again at what is committed. */
function onJoin(state: State, assignment: IMemberAssignment): void {
  const { partitions, offsets, options } = state
  options.meters.event('join')
  for (const { topic, partition } of partitions.assign(assignment)) offsets?.forget(topic, partition)
  for (const partition of partitions.all()) {
    if (partition.fetched !== null) state.consumer?.seek({ topic: partition.topic, partition: partition.partition, offset: String(partition.fetched) })
    resume(state, partition)
  }
}

/** Records that compaction removed move the position without a batch for `onBatch`. */
function onBatchEnd({ partitions, options }: State, { topic, partition: number, lastOffset }: { topic: string; partition: number; lastOffset: string }): void {
  const partition = partitions.get(topic, number)
  if (!partition) return
  const next = Number(lastOffset) + 1
  partition.fetched = Math.max(partition.fetched ?? 0, next)
  if (partition.queue.waiting === 0) options.onPosition?.(topic, number, next)
}
