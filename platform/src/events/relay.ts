import type { Clock } from '../clock.ts'
import type { Started } from '../component.ts'
import { crashPoint } from '../crash-point.ts'
import { messageOf, TransientError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database } from '../sql/sql.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { EventLog } from './event-log.ts'
import { traceSend } from './event-span.ts'
import { markFailed, markPublished, measureOutbox, type OutboxRow, readPending, recordOf } from './outbox-store.ts'
import { pruneMessaging } from './prune.ts'
import { createWakeSignal, fullJitterMs } from './signal.ts'

export interface RelayDeps {
  readonly database: Database
  readonly eventLog: EventLog
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** Longest pause between two looks at the outbox; `wake` cuts it short. Default 200 ms. */
  readonly pollMs?: number
  /** How long the key of a row that the log refuses stays blocked before the next try. Default 30 s. */
  readonly poisonPauseMs?: number
  /** Resolves when this relay is the only active one of the database; asked before every look. The embedded database has one process, and so one relay. */
  readonly becomeActive?: (signal: AbortSignal) => Promise<void>
  /** False once another may have become the active one; asked before every send. */
  readonly isActive?: () => boolean
}

export interface Relay {
  /** There is something to send. */
  wake(): void
}

const MEASURE_EVERY_MS = 5_000
const PRUNE_EVERY_MS = 3_600_000

/**
 * Sends the outbox to the event log: pending rows by seq, one send in flight, marked when the log has them. A crash in between sends a row again, with the
 * same id. A row that the log refuses blocks only its own key. `stop` finishes the send in hand.
 */
export function createRelay(deps: RelayDeps): Started<Relay> {
  const { log, pollMs = 200, becomeActive = () => Promise.resolve() } = deps
  const stopping = new AbortController()
  const signal = createWakeSignal()
  const pass = createPass(deps)

  async function loop(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        await becomeActive(stopping.signal)
        if (stopping.signal.aborted) return
        const more = await pass(stopping.signal)
        failures = 0
        if (!more) await signal.wait(pollMs, stopping.signal)
      } catch (error) {
        failures += 1
        const report = failures < 5 ? log.warn : log.error
        report('Outbox relay could not send and tries again', { reason: messageOf(error), failures })
        await signal.wait(pollMs + fullJitterMs(failures, 100, 5_000), stopping.signal)
      }
    }
  }

  const running = loop().catch((error: unknown) => log.error('Outbox relay ended', { error }))
  return {
    value: { wake: signal.wake },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** One look at the outbox; answers whether there may be more. */
function createPass(deps: RelayDeps): (signal: AbortSignal) => Promise<boolean> {
  const { database, clock, metrics } = deps
  const pending = metrics.gauge('outbox_pending', 'Events in the outbox that the log does not have yet')
  const oldest = metrics.gauge('outbox_oldest_pending_age_seconds', 'Age of the oldest event in the outbox that the log does not have yet')
  const blocked = new Map<string, number>()
  let measuredAt = 0
  let prunedAt = clock().getTime()

  return async function relayPass(signal) {
    const now = clock().getTime()
    for (const [key, until] of blocked) if (until <= now) blocked.delete(key)
    const rows = await readPending(database, [...blocked.keys()])
    for (const [topic, batch] of Map.groupBy(rows, (row) => row.topic)) await sendBatch(deps, topic, batch, blocked)
    if (now - measuredAt >= MEASURE_EVERY_MS) {
      measuredAt = now
      const backlog = await measureOutbox(database)
      pending.set({}, backlog.pending)
      oldest.set({}, backlog.oldest === null ? 0 : Math.max(0, (now - backlog.oldest.getTime()) / 1000))
    }
    if (now - prunedAt >= PRUNE_EVERY_MS) {
      prunedAt = now
      await pruneMessaging(database, clock(), signal)
    }
    return rows.length > 0
  }
}

/** Sends a batch of one topic; where the log refuses it, row by row, to find the one that is to blame. */
async function sendBatch(deps: RelayDeps, topic: string, rows: readonly OutboxRow[], blocked: Map<string, number>): Promise<void> {
  try {
    await send(deps, topic, rows)
  } catch (error) {
    if (error instanceof TransientError) throw error
    for (const row of rows) {
      if (!blocked.has(row.blockingkey)) await sendAlone(deps, topic, row, blocked)
    }
  }
}

async function sendAlone(deps: RelayDeps, topic: string, row: OutboxRow, blocked: Map<string, number>): Promise<void> {
  try {
    await send(deps, topic, [row])
  } catch (error) {
    if (error instanceof TransientError) throw error
    blocked.set(row.blockingkey, deps.clock().getTime() + (deps.poisonPauseMs ?? 30_000))
    await markFailed(deps.database, row.seq, messageOf(error))
    deps.log.error('An event cannot be sent; later events of the same subject wait behind it', { topic, eventId: row.id, subject: row.aggregateid, error })
  }
}

async function send(deps: RelayDeps, topic: string, rows: readonly OutboxRow[]): Promise<void> {
  const results = deps.metrics.counter('outbox_publish_total', 'Events sent from the outbox to the log', ['result'])
  const seconds = deps.metrics.histogram('outbox_publish_seconds', 'Time to send one batch of the outbox to the log')
  if (deps.isActive?.() === false) throw new TransientError('another relay may be the active one by now')
  const start = performance.now()
  try {
    await traceSend(topic, rows, () => deps.eventLog.publish(topic, rows.map(recordOf)))
    crashPoint('after_send')
  } catch (error) {
    results.add({ result: error instanceof TransientError ? 'unavailable' : 'refused' }, rows.length)
    throw error
  }
  seconds.observe({}, (performance.now() - start) / 1000)
  results.add({ result: 'sent' }, rows.length)
  await markPublished(deps.database, rows, deps.clock())
}
