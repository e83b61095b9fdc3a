import { deadLetterTopicOf } from '@millrace/contracts/events/topics.ts'
import type { Clock } from '../clock.ts'
import type { Started } from '../component.ts'
import { crashPoint } from '../crash-point.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Consumer } from '../service.ts'
import { type Database, SqlError, UniqueViolation } from '../sql/sql.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { decodeRecord, type IncomingEvent } from './cloudevents.ts'
import { deadLetterOf, type Failure } from './dead-letter.ts'
import type { DeliveredRecord, EventLog, Receive } from './event-log.ts'
import { traceProcess } from './event-span.ts'
import type { EventHandler, Outcome } from './handler.ts'
import { fullJitterMs, pauseFor } from './signal.ts'

export interface ConsumerDeps {
  readonly consumer: Consumer
  readonly database: Database
  readonly eventLog: EventLog
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** Called after each record that was dealt with: jobs may have something to do. */
  readonly onHandled?: () => void
}

/** What became of a record. */
type Result = { readonly kind: 'done' } | { readonly kind: 'skip'; readonly reason: string } | { readonly kind: 'dead-letter'; readonly failure: Failure }

const HOPELESS_ATTEMPTS = 3
/** Data exceptions and violated constraints: what the event says cannot be stored. No code: the driver could not even send it. */
const UNSTORABLE = /^(22...|23...|)$/

/** Trying again cannot help, be it a bug or an event that nobody can store: waiting would hold up every event behind it for ever. */
const isHopeless = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  error instanceof SyntaxError ||
  error instanceof UniqueViolation ||
  (error instanceof SqlError && UNSTORABLE.test(error.code)) ||
  (error instanceof AppError && error.status === 400) ||
  (error instanceof Error && error.name === 'ZodError')

/** Ends the handler's transaction without its effects. */
class RolledBack extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.name = 'DeadLettered'
    this.reason = reason
  }
}

/**
 * Follows the topics of the handlers. Each event is handled once: inbox row and effect commit together, the offset afterwards. What cannot be read, or what
 * a handler refuses, goes to the dead-letter topic with its original bytes; infrastructure in the way is waited for. `stop` finishes the event in hand.
 */
export async function startConsumer(deps: ConsumerDeps): Promise<Started<null>> {
  const { group, handlers } = deps.consumer
  const topics = [...new Set(handlers.map((handler) => handler.definition.topic))]
  return deps.eventLog.subscribe({ group, topics, receive: createReceive(deps) })
}

const majorless = (type: string): string => type.replace(/\.v\d+$/, '')

function indexByType(handlers: readonly EventHandler[], group: string): ReadonlyMap<string, EventHandler> {
  const byType = new Map(handlers.map((handler) => [handler.definition.type as string, handler]))
  if (byType.size < handlers.length) throw new Error(`consumer ${group} has two handlers for one event type: give each a consumer of its own`)
  return byType
}

/** The receiver of a consumer. It rejects only when it is stopped while it waits for infrastructure: then the record must not be committed. */
export function createReceive(deps: ConsumerDeps): Receive {
  const { consumer, eventLog, log, metrics, clock, onHandled } = deps
  const byType = indexByType(consumer.handlers, consumer.group)
  const names = new Set([...byType.keys()].map(majorless))
  const handled = metrics.counter('events_handled_total', 'Events that a consumer dealt with', ['group', 'type', 'outcome'])
  const age = metrics.histogram('event_age_seconds', 'From the occurrence of an event to the start of its handling', ['group', 'type'], AGE_BUCKETS)
  const seconds = metrics.histogram('event_handle_seconds', 'Time to handle an event, retries included', ['group', 'type'], HANDLE_BUCKETS)

  async function handle(event: IncomingEvent, signal: AbortSignal): Promise<Result> {
    const handler = byType.get(event.type)
    if (!handler && names.has(majorless(event.type))) return refused('UnknownMajor', `no handler for ${event.type}: this consumer reads other versions of it`)
    if (!handler) return { kind: 'skip', reason: 'unknown-type' }
    const parsed = handler.definition.data.safeParse(event.data)
    if (!parsed.success) return refused('SchemaInvalid', parsed.error.message)
    const labels = { group: consumer.group, type: event.type }
    age.observe(labels, Math.max(0, (clock().getTime() - event.time.getTime()) / 1000))
    const start = performance.now()
    const result = await attemptUntilDecided(deps, handler, event, signal)
    seconds.observe(labels, (performance.now() - start) / 1000)
    return result
  }

  async function process(record: DeliveredRecord, signal: AbortSignal): Promise<void> {
    const decoded = decodeRecord(record)
    const event = decoded.kind === 'event' ? decoded.event : null
    const type = event && byType.has(event.type) ? event.type : 'other'
    const result = await traceProcess<Result>({ record, event, group: consumer.group }, async () => {
      if (decoded.kind === 'malformed') return refused('Malformed', decoded.reason)
      return decoded.kind === 'tombstone' ? { kind: 'skip' as const, reason: 'tombstone' } : handle(decoded.event, signal)
    })
    if (result.kind === 'done') crashPoint('after_effect_before_commit')
    if (result.kind === 'dead-letter') {
      const fields = { group: consumer.group, topic: record.topic, offset: record.offset, eventId: event?.id, kind: result.failure.kind }
      log.error('An event went to the dead-letter topic', { ...fields, reason: messageOf(result.failure.error) })
      const letter = deadLetterOf(record, consumer.group, result.failure, clock())
      await retryInPlace(deps, signal, () => eventLog.publish(deadLetterTopicOf(record.topic), [letter]))
    }
    handled.add({ group: consumer.group, type, outcome: result.kind === 'skip' && result.reason === 'unknown-type' ? 'unknown-type' : result.kind })
  }

  return async function receive(record, signal) {
    await process(record, signal)
    onHandled?.()
  }
}

const AGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
const HANDLE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const refused = (kind: string, reason: string): Result => ({ kind: 'dead-letter', failure: { kind, error: new Error(reason), attempts: 1 } })

/** What is hopeless gets three attempts, then the dead-letter topic; anything else that is thrown is waited for. */
async function attemptUntilDecided(deps: ConsumerDeps, handler: EventHandler, event: IncomingEvent, signal: AbortSignal): Promise<Result> {
  let attempts = 0
  return retryInPlace(deps, signal, async () => {
    attempts += 1
    try {
      const outcome = await handleOnce(deps, handler, event)
      return outcome.kind === 'dead-letter' ? refused('Refused', outcome.reason) : outcome
    } catch (error) {
      if (error instanceof RolledBack) return refused('Refused', error.reason)
      if (!isHopeless(error) || attempts < HOPELESS_ATTEMPTS) throw error
      return { kind: 'dead-letter', failure: { kind: error instanceof Error ? error.name : 'Error', error, attempts } }
    }
  })
}

const INBOX = 'insert into inbox (consumer, source, event_id, processed_at) values ($1, $2, $3, $4) on conflict do nothing returning 1 as one'

function handleOnce({ database, consumer, clock }: ConsumerDeps, handler: EventHandler, event: IncomingEvent): Promise<Outcome> {
  return database.transaction(async (tx) => {
    const fresh = await tx.query(INBOX, [consumer.group, event.source, event.id, clock()])
    if (fresh.length === 0) return { kind: 'skip', reason: 'duplicate' }
    const outcome = await handler.handle(event, tx)
    if (outcome.kind === 'dead-letter') throw new RolledBack(outcome.reason)
    return outcome
  })
}

/** Full jitter, 100 ms * 2^n, capped at 5 s, until it succeeds. Rejects only when `signal` aborts. */
async function retryInPlace<T>({ log, consumer }: ConsumerDeps, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) throw error
      const report = failures < 5 ? log.warn : log.error
      report('Handling an event failed and is tried again', { group: consumer.group, failures: failures + 1, reason: messageOf(error) })
      await pauseFor(fullJitterMs(failures, 100, 5_000), signal)
      signal.throwIfAborted()
    }
  }
}
