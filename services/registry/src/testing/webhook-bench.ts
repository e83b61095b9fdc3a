import { newUuidV7 } from '@millrace/platform/clock.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { type Log, silentLog } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { fixedClock } from '@millrace/platform/testing/fixed.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { type RegistryConfig, registryConfig } from '../config.ts'
import { migrations } from '../service.ts'
import { announceChange } from '../webhooks/announce-change.ts'
import { createDeliver } from '../webhooks/deliver.ts'
import { readDeliveries } from '../webhooks/delivery-store.ts'
import { createManageWebhooks, type WebhookFields } from '../webhooks/manage-webhooks.ts'
import { createSecretSeal } from '../webhooks/secret-seal.ts'

const actor = { user: 'ana', requestId: 'request-1' }

/** Webhooks and their deliveries on a database of their own, with a clock that stands still and no chance in the pauses. */
export async function webhookBench(outside: OutsideClient, config: Partial<RegistryConfig> = {}, log: Log = silentLog) {
  const database = await freshDatabase(migrations)
  const clock = fixedClock()
  const settings = { ...registryConfig.parse({ REGISTRY_WEBHOOK_KEY: 'a1'.repeat(32) }), ...config }
  const seal = createSecretSeal(settings.REGISTRY_WEBHOOK_KEY)
  const metrics = createMetrics('registry')
  const manage = createManageWebhooks({ database, clock, newId: newUuidV7, outside }, seal)
  /** What a process would have: make another for another process, or for the next one. */
  const process = (through: Database = database) => createDeliver({ database: through, clock, log, metrics, outside, config: settings }, seal, () => 1)
  const first = process()
  return {
    ...{ database, clock, manage, process, settings, metrics, log },
    create: async (fields: Partial<WebhookFields> = {}) => {
      const events = ['model_version_tag.set']
      const row = await manage.create({ name: 'ci', description: '', url: 'https://receiver.example/', events, status: 'ACTIVE', secret: '', ...fields }, actor)
      return row.id
    },
    update: (id: string, fields: Partial<WebhookFields>) => manage.update(id, fields, actor),
    remove: (id: string) => manage.remove(id, actor),
    /** A change that webhooks follow: a tag of a version. */
    change: (value = 'v') =>
      database.transaction((tx) => announceChange(tx, { kind: 'version-tag', prompt: false, name: 'fish', version: 1, key: 'k', value }, clock())),
    /** Sends what is due and waits for it. */
    deliver: async (deliver = first, signal = new AbortController().signal) => {
      while (await deliver.pass(signal));
      await deliver.drained()
    },
    deliveries: (webhookId: string) => readDeliveries(database, { webhookId, status: null, limit: 100 }),
  }
}
