import { messageOf, TransientError } from '@millrace/platform/errors.ts'
import { OutsideRefused } from '@millrace/platform/http/outside-client.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { RegistryDeps } from '../deps.ts'
import { type Attempt, judgeAttempt, type Verdict } from '../webhooks/domain/judge-attempt.ts'
import { buryDelivery, claimDelivery, type LineageDelivery, postponeDelivery, pruneDeliveries, removeDelivery } from './delivery-store.ts'

type DeliverDeps = Pick<RegistryDeps, 'database' | 'clock' | 'log' | 'metrics' | 'outside' | 'config'>

/** An attempt that has not reported so long after its time limit died with its process. */
const LOST_AFTER_MS = 30_000

/** Posts OpenLineage events to the endpoint that the settings name, in order, at least once each; nothing where they name none. */
export function deliverLineageJobs(deps: DeliverDeps, random: () => number = Math.random): Job[] {
  const url = deps.config.REGISTRY_OPENLINEAGE_URL
  if (url === undefined) return []
  const attempts = deps.metrics.counter('registry_openlineage_attempts_total', 'Attempts to post an OpenLineage event, by what became of them.', ['outcome'])
  return [
    {
      name: 'deliver-openlineage',
      everyMs: 1_000,
      run: async (signal) => {
        const { database, clock, config } = deps
        await pruneDeliveries(database, new Date(clock().getTime() - config.REGISTRY_WEBHOOK_KEEP_MS))
        const lostAt = new Date(clock().getTime() + config.REGISTRY_WEBHOOK_TIMEOUT_MS + LOST_AFTER_MS)
        const delivery = await claimDelivery(database, clock(), lostAt)
        if (!delivery) return false
        const verdict = judge(deps, delivery, await post(deps, url, delivery, signal), signal, random())
        await record(deps, delivery, verdict)
        attempts.add({ outcome: verdict.kind })
        return verdict.kind !== 'retry'
      },
    },
  ]
}

async function post({ outside, config, log }: DeliverDeps, url: string, { id, body }: LineageDelivery, signal: AbortSignal): Promise<Attempt> {
  const key = config.REGISTRY_OPENLINEAGE_API_KEY
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  try {
    const { status, retryAfter } = await outside.post({ url, headers, body, timeoutMs: config.REGISTRY_WEBHOOK_TIMEOUT_MS, keepBytes: 0, signal })
    return { kind: 'answered', status, retryAfter }
  } catch (error) {
    const expected = error instanceof TransientError || error instanceof OutsideRefused
    if (!expected) log.error('a lineage event could not be posted', { deliveryId: id, reason: messageOf(error) })
    return { kind: 'failed', reason: expected ? messageOf(error) : 'a fault inside' }
  }
}

/** An attempt that a stop cut off counts for nothing. */
function judge({ clock, config }: DeliverDeps, delivery: LineageDelivery, attempt: Attempt, signal: AbortSignal, jitter: number): Verdict {
  const now = clock()
  if (signal.aborted && attempt.kind === 'failed') return { kind: 'retry', at: now, reason: 'the registry stopped in the middle of it' }
  const giveUpAfterMs = config.REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS
  return judgeAttempt(attempt, { attempts: delivery.attempts, queuedAt: delivery.created_at, now, giveUpAfterMs, jitter })
}

async function record({ database, clock, log }: DeliverDeps, { id, attempts }: LineageDelivery, verdict: Verdict): Promise<void> {
  if (verdict.kind === 'delivered') return removeDelivery(database, id)
  if (verdict.kind === 'retry') return postponeDelivery(database, id, verdict.at, verdict.reason)
  log.warn('a lineage event was given up', { deliveryId: id, attempts, reason: verdict.reason })
  return buryDelivery(database, id, clock(), verdict.reason)
}
