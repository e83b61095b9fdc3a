import type { Job } from '@millrace/platform/service.ts'
import type { RegistryDeps } from '../deps.ts'
import type { Deliver } from './deliver.ts'
import { countByStatus, expireDeliveries, pruneDeliveries } from './delivery-store.ts'

const PRUNED_AT_ONCE = 1000

/** Sends what is due; a commit wakes it. */
export const deliveryJob = (deliver: Deliver): Job => ({ name: 'deliver-webhooks', everyMs: 1_000, run: (signal) => deliver.pass(signal) })

/** Forgets deliveries that were finished long ago, gives up those of webhooks that stay disabled, and counts the rest. */
export function webhookUpkeepJob({ database, clock, metrics, log, config }: Pick<RegistryDeps, 'database' | 'clock' | 'metrics' | 'log' | 'config'>): Job {
  const gauge = metrics.gauge('registry_webhook_deliveries', 'Webhook deliveries that wait, and that were given up.', ['status'])
  return {
    name: 'webhook-upkeep',
    everyMs: 60_000,
    run: async () => {
      const now = clock()
      const ago = (ms: number) => new Date(now.getTime() - ms)
      const expired = await expireDeliveries(database, ago(config.REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS), now)
      if (expired > 0) log.warn('deliveries of disabled webhooks were given up', { count: expired })
      const pruned = await pruneDeliveries(database, ago(config.REGISTRY_WEBHOOK_KEEP_MS), PRUNED_AT_ONCE)
      const { pending, dead } = await countByStatus(database)
      gauge.set({ status: 'pending' }, pending)
      gauge.set({ status: 'dead' }, dead)
      return pruned === PRUNED_AT_ONCE
    },
  }
}
