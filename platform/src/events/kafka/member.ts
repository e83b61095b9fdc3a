import type { Consumer, Kafka } from 'kafkajs'
import type { Started } from '../../component.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { fullJitterMs, pauseFor } from '../signal.ts'
import { endlessRetry } from './connection.ts'
import { createFetching, type Fetching, type FetchingOptions } from './fetching.ts'
import { type PartitionRange, rangesOf, withAdmin } from './offsets.ts'
import { watchProgress } from './progress.ts'
import type { KafkaTiming } from './timing.ts'

export interface MemberOptions extends FetchingOptions {
  /** Reports a lost connection; for questions beside the consumer. */
  readonly client: Kafka
  /** Never gives up a connection; for the consumer itself. */
  readonly endlessClient: Kafka
  readonly groupId: string
  readonly topics: readonly string[]
  /** Told where the topics begin and end before the member first fetches. */
  readonly onStart?: (ranges: readonly PartitionRange[]) => void
  readonly timing: KafkaTiming
  readonly onFatal: (error: Error) => void
}

const FINAL_COMMIT_MS = 2000
const LEAVE_MS = 5000
/** At the longest pause between tries, about once a minute. */
const REPORT_EVERY = 30

/** A consumer of the client that has begun to join its group. `joined` resolves after the first join, which may wait for a broker for ever. */
interface Life {
  readonly consumer: Consumer
  readonly joined: Promise<void>
}

/** One member of a consumer group. It starts in the background and outlives any outage; only a client that gave up for good ends in `onFatal`. */
export function startMember(options: MemberOptions): Started<null> {
  const { log, groupId } = options
  const stopping = new AbortController()
  const fail = (error: Error): void => {
    if (stopping.signal.aborted) return
    log.error('A Kafka consumer ended for good', { group: groupId, error })
    options.onFatal(error)
  }
  const fetching = createFetching(options, fail)
  const { partitions, offsets } = fetching
  const living = begin(options, fetching, stopping.signal, fail)
  const progress = watchProgress({ ...options, partitions, onStuck: fail })
  return {
    value: null,
    async stop() {
      stopping.abort()
      partitions.abortAll()
      const [life] = await Promise.all([living, progress.stop()])
      await partitions.settled()
      await offsets?.drain(FINAL_COMMIT_MS)
      if (life) await leave(life, log)
    },
  }
}

/** Tries until the member has begun to join; null when it was stopped before. */
async function begin(options: MemberOptions, fetching: Fetching, stopping: AbortSignal, fail: (error: Error) => void): Promise<Life | null> {
  const { client, topics, groupId, log } = options
  for (let failures = 0; !stopping.aborted; failures += 1) {
    try {
      // A consumer waits for the brokers for ever: it is only made once they have answered.
      const ranges = await withAdmin(client, (admin) => rangesOf(admin, topics, null))
      options.onStart?.(ranges)
      return await join(options, fetching, stopping, fail)
    } catch (error) {
      if (failures % REPORT_EVERY === 0) log.warn('Kafka cannot be followed yet and is tried again', { group: groupId, topics, reason: messageOf(error) })
      await pauseFor(100 + fullJitterMs(failures, 200, 2000), stopping)
    }
  }
  return null
}

async function join(options: MemberOptions, fetching: Fetching, stopping: AbortSignal, fail: (error: Error) => void): Promise<Life> {
  const { endlessClient, groupId, topics, timing } = options
  const consumer = endlessClient.consumer({
    groupId,
    sessionTimeout: timing.sessionTimeoutMs,
    heartbeatInterval: timing.heartbeatIntervalMs,
    rebalanceTimeout: timing.rebalanceTimeoutMs,
    maxWaitTimeInMs: timing.maxWaitMs,
    allowAutoTopicCreation: false,
    retry: { ...endlessRetry, restartOnFailure: async () => !stopping.aborted },
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  } catch (error) {
    await consumer.disconnect().catch(() => undefined)
    throw error
  }
  fetching.attach(consumer)
  watchCrashes(consumer, options, fail)
  const joined = consumer.run({ autoCommit: false, eachBatch: async (payload) => fetching.onBatch(payload) })
  return { consumer, joined }
}

/** A crash is told by this event alone: the client's promises have long resolved. */
function watchCrashes(consumer: Consumer, { groupId, log, meters }: MemberOptions, fail: (error: Error) => void): void {
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    meters.event(payload.restart ? 'crash' : 'fatal')
    if (payload.restart) log.warn('A Kafka consumer is made anew', { group: groupId, reason: payload.error.message })
    else fail(payload.error)
  })
}

/**
 * Leaving tells the others at once; a broker that does not answer will find out by itself. A client that is left while it still joins would join after all,
 * and hold partitions that nobody reads.
 */
async function leave({ consumer, joined }: Life, log: Log): Promise<void> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, LEAVE_MS)
  const left = joined
    .then(() => consumer.disconnect())
    .catch((error: unknown) => log.warn('A consumer could not leave its group', { reason: messageOf(error) }))
  await Promise.race([left, tooLong])
  clearTimeout(timer)
}
