import { setTimeout as pause } from 'node:timers/promises'
import type { DataOf, EventDefinition } from '@millrace/contracts/events/event.ts'
import type { TopicName } from '@millrace/contracts/events/topics.ts'
import type { Started } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { encodeFor } from '@millrace/platform/events/cloudevents.ts'
import type { LogRecord } from '@millrace/platform/events/event-log.ts'
import type { InferenceDeps } from './deps.ts'

export interface BackgroundOptions {
  readonly topic: TopicName
  /** Records that wait at most; the newest is dropped beyond that. */
  readonly capacity: number
  /** Records of one publish at most. */
  readonly batchSize: number
  /** How long the first record of a batch waits for company. */
  readonly lingerMs: number
  /** Publishes of one batch; when all failed it is dropped. */
  readonly tries: number
}

/** Says events without ever holding up whoever says them. */
export interface BackgroundPublisher {
  /** False: there is no room for one more, which is counted as dropped; so nobody need prepare it. */
  hasRoom(): boolean
  /** `time` is when it happened. Dropped and counted where too much waits. */
  say<Definition extends EventDefinition>(definition: Definition, subject: string, data: DataOf<Definition>, time: Date): void
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5000
const LAST_MS = 2000

/** Straight to the log: a pod has no database to keep an outbox in. `stop` publishes what waits, within two seconds. */
export function startBackgroundPublisher(
  deps: Pick<InferenceDeps, 'eventLog' | 'log' | 'metrics' | 'newId'> & { readonly source: string },
  options: BackgroundOptions,
): Started<BackgroundPublisher> {
  const { topic, capacity, batchSize, lingerMs } = options
  const dropped = deps.metrics.counter('events_dropped_total', 'Events that were not published because too many waited or the log was away.', [
    'topic',
    'reason',
  ])
  const stopping = new AbortController()
  const send = createSend(deps, options, stopping.signal)
  const queue: (() => LogRecord)[] = []
  let running: Promise<void> | null = null

  function encodeOne(encode: () => LogRecord): LogRecord[] {
    try {
      return [encode()]
    } catch (error) {
      deps.log.error('an event does not match its schema', { topic, error })
      return []
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      if (queue.length < batchSize) await pause(lingerMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      const records = queue.splice(0, batchSize).flatMap(encodeOne)
      const published = await send(records)
      if (!published) dropped.add({ topic, reason: 'log' }, records.length)
    }
    running = null
  }

  const value: BackgroundPublisher = {
    hasRoom() {
      if (queue.length < capacity && !stopping.signal.aborted) return true
      dropped.add({ topic, reason: 'full' })
      return false
    },
    say(definition, subject, data, time) {
      if (!value.hasRoom()) return
      const id = deps.newId()
      queue.push(() => encodeFor(definition, { id, source: deps.source, subject, time, extensions: {}, data }))
      running ??= run()
    },
  }
  return {
    value,
    async stop() {
      stopping.abort()
      await Promise.race([running, pause(LAST_MS, undefined, { ref: false })])
    },
  }
}

/** Publishes one batch, trying again with growing pauses; false when the last try failed. */
function createSend(deps: Pick<InferenceDeps, 'eventLog' | 'log'>, { topic, tries }: BackgroundOptions, stopping: AbortSignal) {
  return async function send(records: readonly LogRecord[]): Promise<boolean> {
    for (let attempt = 1; attempt <= tries; attempt++) {
      try {
        await deps.eventLog.publish(topic, records)
        return true
      } catch (error) {
        if (attempt === 1) deps.log.warn('events could not be published', { topic, records: records.length, reason: messageOf(error) })
        if (attempt === tries || stopping.aborted) return false
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
        await pause(pauseMs, undefined, { signal: stopping }).catch(() => undefined)
      }
    }
    return false
  }
}
