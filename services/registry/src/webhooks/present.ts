import type { DeliveryRow } from './delivery-store.ts'
import { eventOfName } from './domain/webhook-event.ts'
import type { WebhookRow } from './store.ts'

/** A webhook as MLflow shows it. Its secret is never shown. */
export const presentWebhook = ({ id, name, description, url, events, status, created_at, updated_at }: WebhookRow): Record<string, unknown> => ({
  webhook_id: id,
  name,
  ...(description === '' ? {} : { description }),
  url,
  events: events.map(eventOfName),
  status,
  creation_timestamp: created_at.getTime(),
  last_updated_timestamp: updated_at.getTime(),
})

export const presentDelivery = (row: DeliveryRow) => ({
  deliveryId: row.id,
  event: row.event,
  status: row.status,
  attempts: row.attempts,
  createdAt: row.created_at.toISOString(),
  nextAttemptAt: row.status === 'pending' ? row.attempt_at.toISOString() : null,
  finishedAt: row.finished_at?.toISOString() ?? null,
  lastStatus: row.last_status,
  lastError: row.last_error,
})
