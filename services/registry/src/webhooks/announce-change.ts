import type { Sql } from '@millrace/platform/sql/sql.ts'
import { insertDeliveries } from './delivery-store.ts'
import { bodyOf, describeChange, type RegistryChange } from './domain/registry-change.ts'
import { nameOfEvent } from './domain/webhook-event.ts'

/** Records what the webhooks that follow a change are to be told, in the change's own transaction; a job tells them after the commit. */
export async function announceChange(tx: Sql, change: RegistryChange, now: Date): Promise<void> {
  const announcement = describeChange(change)
  if (announcement) await insertDeliveries(tx, nameOfEvent(announcement), bodyOf(announcement, now), now)
}
