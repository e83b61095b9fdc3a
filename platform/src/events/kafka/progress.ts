import type { Kafka } from 'kafkajs'
import type { Started } from '../../component.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { pauseFor } from '../signal.ts'
import type { Meters } from './meters.ts'
import { type PartitionRange, rangesOf, withAdmin } from './offsets.ts'
import type { Partition, Partitions } from './partitions.ts'
import type { KafkaTiming } from './timing.ts'

export interface ProgressOptions {
  readonly client: Kafka
  readonly groupId: string
  readonly commits: boolean
  readonly topics: readonly string[]
  readonly partitions: Partitions
  readonly meters: Meters
  readonly timing: KafkaTiming
  readonly log: Log
  readonly onStuck: (error: Error) => void
  readonly onPosition?: (topic: string, partition: number, next: number) => void
}

interface Standstill {
  readonly fetched: number
  readonly since: number
}

/**
 * Measures the lag of what this member holds, and finds a client that fetches no more although the broker answers and has records for it: that has no
 * other symptom. A receiver that takes long is no standstill; neither is an outage.
 */
export function watchProgress(options: ProgressOptions): Started<null> {
  const { client, topics, partitions, timing, log } = options
  const group = options.commits ? options.groupId : null
  const stopping = new AbortController()
  let standstills = new Map<Partition, Standstill>()
  let away = false

  async function look(): Promise<void> {
    const startedAt = performance.now()
    const ranges = await withAdmin(client, (admin) => rangesOf(admin, topics, group))
    // A look that was held up says nothing about how long the client stood still.
    if (performance.now() - startedAt > timing.measureEveryMs) standstills = new Map()
    standstills = new Map(ranges.flatMap((range) => lookAt(options, standstills, range)))
  }

  async function lookOrReport(): Promise<void> {
    try {
      await look()
      if (away) log.info('The Kafka brokers answer again', { group: options.groupId })
      away = false
    } catch (error) {
      standstills = new Map()
      if (!away && !stopping.signal.aborted) log.warn('The Kafka brokers do not answer', { group: options.groupId, reason: messageOf(error) })
      away = true
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pauseFor(timing.measureEveryMs, stopping.signal)
      if (!stopping.signal.aborted && partitions.all().length > 0) await lookOrReport()
    }
  }

  const running = run()
  return {
    value: null,
    async stop() {
      stopping.abort()
      for (const { topic, partition } of partitions.all()) options.meters.forgetLag(topic, partition)
      await running
    },
  }
}

/** Reports one partition; answers since when it stands still, nothing where it does not. */
function lookAt(options: ProgressOptions, before: ReadonlyMap<Partition, Standstill>, range: PartitionRange): [Partition, Standstill][] {
  const { topic, partition, low, high } = range
  const held = options.partitions.get(topic, partition)
  if (!held) {
    options.meters.forgetLag(topic, partition)
    return []
  }
  const fetched = Math.max(low, held.fetched ?? range.committed)
  options.meters.lag(topic, partition, Math.max(0, high - Math.max(low, held.received ?? range.committed)))
  // What retention removed need not be waited for.
  if (held.queue.waiting === 0 && low >= high) options.onPosition?.(topic, partition, high)
  if (held.paused || fetched >= high) return []
  const known = before.get(held)
  const since = known?.fetched === fetched ? known.since : performance.now()
  if (performance.now() - since >= options.timing.watchdogMs) reportStuck(options, range, fetched)
  return [[held, { fetched, since }]]
}

function reportStuck({ meters, timing, onStuck }: ProgressOptions, { topic, partition, high }: PartitionRange, fetched: number): void {
  meters.event('stuck')
  onStuck(new Error(`${topic}/${partition} has stood still at ${fetched} of ${high} for ${timing.watchdogMs / 1000} s although the broker answers`))
}
