import { messageOf, TransientError } from '@millrace/platform/errors.ts'
import { OutsideRefused } from '@millrace/platform/http/outside-client.ts'
import type { RegistryDeps } from '../deps.ts'
import { claimDeliveries, type DeliveryRow, dueWebhooks, finishDelivery, postponeDelivery } from './delivery-store.ts'
import { type Attempt, judgeAttempt, type Verdict } from './domain/judge-attempt.ts'
import { type SecretSeal, SecretUnreadable } from './secret-seal.ts'
import { headersOf } from './sign-delivery.ts'
import { findWebhook, type WebhookRow } from './store.ts'

export type DeliverDeps = Pick<RegistryDeps, 'database' | 'clock' | 'log' | 'metrics' | 'outside' | 'config'>

export interface Deliver {
  /** Starts to send what is due, and does not wait for it. Returns true when there is more than may be sent at once. */
  pass(signal: AbortSignal): Promise<boolean>
  /** Resolves when nothing is under way any more; abort the signal of the passes first. */
  drained(): Promise<void>
}

/** Requests to one receiver at a time. */
const AT_ONCE = 4
/** An attempt that has not reported so long after its time limit died with its process. */
const LOST_AFTER_MS = 30_000

/**
 * Sends deliveries, at least once each. Every webhook has a lane of its own, so that a slow receiver holds up nobody else; there are `REGISTRY_WEBHOOK_LANES`
 * of them, and a lane ends with the first receiver's trouble, so that those who wait get their turn.
 */
export function createDeliver(deps: DeliverDeps, seal: SecretSeal, random: () => number = Math.random): Deliver {
  const lanes = new Map<string, Promise<void>>()
  const attempt = createAttempt(deps, seal, random)

  async function runLane(webhookId: string, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && (await sendSome(deps, attempt, webhookId, signal)));
    } catch (error) {
      deps.log.warn('deliveries of a webhook could not go on and are tried again', { webhookId, error })
    } finally {
      lanes.delete(webhookId)
    }
  }

  return {
    async pass(signal) {
      const free = deps.config.REGISTRY_WEBHOOK_LANES - lanes.size
      if (free <= 0) {
        await Promise.race(lanes.values())
        return true
      }
      const due = await dueWebhooks(deps.database, deps.clock(), [...lanes.keys()], free)
      for (const webhookId of due) lanes.set(webhookId, runLane(webhookId, signal))
      return due.length === free
    },
    async drained() {
      await Promise.all(lanes.values())
    },
  }
}

type MakeAttempt = (webhook: WebhookRow, row: DeliveryRow, signal: AbortSignal) => Promise<Verdict['kind']>

/** Answers whether to go on with this webhook. */
async function sendSome({ database, clock, config }: DeliverDeps, attempt: MakeAttempt, webhookId: string, signal: AbortSignal): Promise<boolean> {
  const webhook = await findWebhook(database, webhookId)
  if (webhook?.status !== 'ACTIVE') return false
  const now = clock()
  const lostAt = new Date(now.getTime() + config.REGISTRY_WEBHOOK_TIMEOUT_MS + LOST_AFTER_MS)
  const rows = await claimDeliveries(database, webhookId, now, lostAt, AT_ONCE)
  const verdicts = await Promise.all(rows.map((row) => attempt(webhook, row, signal)))
  return verdicts.length > 0 && !verdicts.includes('retry')
}

function createAttempt(deps: DeliverDeps, seal: SecretSeal, random: () => number): MakeAttempt {
  const attempts = deps.metrics.counter('registry_webhook_attempts_total', 'Attempts to deliver to a webhook, by what became of them.', ['outcome'])
  return async function attempt(webhook, row, signal) {
    const outcome = await send(deps, seal, webhook, row, signal)
    const now = deps.clock()
    const giveUpAfterMs = deps.config.REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS
    const stopped = signal.aborted && outcome.kind === 'failed'
    const verdict: Verdict = stopped
      ? { kind: 'retry', at: now, reason: 'the registry stopped in the middle of it' }
      : judgeAttempt(outcome, { attempts: row.attempts, queuedAt: row.queued_at, now, giveUpAfterMs, jitter: random() })
    await record(deps, webhook, row, outcome, verdict)
    attempts.add({ outcome: verdict.kind })
    return verdict.kind
  }
}

async function send(
  { outside, clock, log, config }: DeliverDeps,
  seal: SecretSeal,
  webhook: WebhookRow,
  row: DeliveryRow,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const secret = webhook.secret === null ? null : seal.open(webhook.secret, webhook.id)
    const headers = headersOf({ deliveryId: row.id, body: row.body, secret }, clock())
    const timeoutMs = config.REGISTRY_WEBHOOK_TIMEOUT_MS
    const { status, retryAfter } = await outside.post({ url: webhook.url, headers, body: row.body, timeoutMs, keepBytes: 0, signal })
    return { kind: 'answered', status, retryAfter }
  } catch (error) {
    const expected = error instanceof TransientError || error instanceof OutsideRefused
    if (!expected) log.error('a webhook delivery could not be sent', { webhookId: webhook.id, deliveryId: row.id, reason: messageOf(error) })
    const known = expected || error instanceof SecretUnreadable
    return { kind: 'failed', reason: known ? messageOf(error) : 'a fault inside' }
  }
}

async function record(deps: DeliverDeps, webhook: WebhookRow, row: DeliveryRow, outcome: Attempt, verdict: Verdict): Promise<void> {
  const answered = outcome.kind === 'answered' ? outcome.status : null
  const about = { webhookId: webhook.id, webhook: webhook.name, deliveryId: row.id, event: row.event, attempts: row.attempts }
  switch (verdict.kind) {
    case 'delivered':
      await finishDelivery(deps.database, row, 'delivered', { answered, reason: '' }, deps.clock())
      return
    case 'retry':
      await postponeDelivery(deps.database, row, verdict.at, { answered, reason: verdict.reason })
      deps.log.debug('a webhook delivery failed and is tried again', { ...about, reason: verdict.reason })
      return
    case 'dead':
      await finishDelivery(deps.database, row, 'dead', { answered, reason: verdict.reason }, deps.clock())
      deps.log.warn('a webhook delivery was given up', { ...about, reason: verdict.reason })
      return
    default:
      verdict satisfies never
  }
}
