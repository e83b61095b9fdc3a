import { z } from 'zod'

export const deliveryStatuses = ['pending', 'delivered', 'dead'] as const

/** One event on its way to one webhook. Its body is not shown. */
const webhookDelivery = z.strictObject({
  /** As the receiver gets it in `X-MLflow-Delivery-Id`, the same in every attempt. */
  deliveryId: z.string(),
  /** Such as `model_version.created`. */
  event: z.string(),
  status: z.enum(deliveryStatuses),
  attempts: z.int().nonnegative(),
  createdAt: z.iso.datetime(),
  /** Null once it is delivered or given up. */
  nextAttemptAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** HTTP status of the last answer; null where nobody answered. */
  lastStatus: z.int().nullable(),
  lastError: z.string(),
})

/** GET /api/v1/webhooks/{id}/deliveries, newest first. */
export const webhookDeliveries = z.strictObject({ deliveries: z.array(webhookDelivery) })
