import { deliveryStatuses, webhookDeliveries } from '@millrace/contracts/http/webhooks.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { noContent, ok, type Route, route } from '@millrace/platform/http/route.ts'
import { decodePageToken, encodePageToken } from '@millrace/platform/search/keyset.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import { PREFIXES } from '../http/prefixes.ts'
import { readDeliveries, reviveDelivery } from './delivery-store.ts'
import { changedWebhook, newWebhook, trial, webhookPage } from './fields.ts'
import { type createManageWebhooks, requireWebhook } from './manage-webhooks.ts'
import { presentDelivery, presentWebhook } from './present.ts'
import { listWebhooks, webhookSort } from './store.ts'
import type { createTryWebhook } from './try-webhook.ts'

export interface WebhookUseCases {
  readonly database: Database
  readonly clock: () => Date
  readonly manage: ReturnType<typeof createManageWebhooks>
  readonly tryWebhook: ReturnType<typeof createTryWebhook>
}

/** MLflow's `webhooks…` under both prefixes, and Millrace's own view of what became of their deliveries. All for administrators: URLs may hold secrets. */
export const createWebhookRoutes = (useCases: WebhookUseCases): Route[] => [
  ...PREFIXES.flatMap((prefix) => {
    const path = `${prefix}/webhooks`
    return [...collectionRoutes(path, useCases), ...itemRoutes(`${path}/:webhook_id`, useCases), trialRoute(`${path}/:webhook_id/test`, useCases)]
  }),
  ...deliveryRoutes(useCases),
]

const shared = { access: 'admin', errors: 'mlflow' } as const
const params = z.object({ webhook_id: z.string() })

const collectionRoutes = (path: string, { database, manage }: WebhookUseCases): Route[] => [
  route({
    ...shared,
    method: 'POST',
    path,
    summary: 'Creates a webhook. Its secret is kept encrypted and never shown.',
    body: newWebhook,
    handle: async (request) => {
      const { name, url, events, description, secret, status } = request.body
      const fields = { name, url, events, description: description ?? '', secret: secret ?? '', status: status ?? 'ACTIVE' }
      return ok({ webhook: presentWebhook(await manage.create(fields, actorOf(request))) })
    },
  }),
  route({
    ...shared,
    method: 'GET',
    path,
    summary: 'Lists webhooks, newest first.',
    query: webhookPage,
    handle: async ({ query }) => ok(await readPage(database, query.max_results, query.page_token)),
  }),
]

async function readPage(database: Database, maxResults: number, token: string | undefined): Promise<Record<string, unknown>> {
  const found = await listWebhooks(database, decodePageToken(token, webhookSort)?.key ?? null, maxResults + 1)
  const rows = found.slice(0, maxResults)
  const last = found.length > maxResults ? rows.at(-1) : undefined
  return { ...(rows.length > 0 ? { webhooks: rows.map(presentWebhook) } : {}), ...(last ? { next_page_token: encodePageToken(last.sort_key) } : {}) }
}

const itemRoutes = (path: string, { database, manage }: WebhookUseCases): Route[] => [
  route({
    ...shared,
    method: 'GET',
    path,
    summary: 'Reads a webhook.',
    params,
    handle: async (request) => ok({ webhook: presentWebhook(await requireWebhook(database, request.params.webhook_id)) }),
  }),
  route({
    ...shared,
    method: 'PATCH',
    path,
    summary: 'Changes what is given of a webhook; an empty secret removes it.',
    params,
    body: changedWebhook,
    handle: async (request) => {
      const { name, url, events, description, secret, status } = request.body
      const given = Object.entries({ name, url, events, description, secret, status }).filter(([, value]) => value !== undefined && value !== null)
      return ok({ webhook: presentWebhook(await manage.update(request.params.webhook_id, Object.fromEntries(given), actorOf(request))) })
    },
  }),
  route({
    ...shared,
    method: 'DELETE',
    path,
    summary: 'Deletes a webhook; what it was still to be sent is given up.',
    params,
    handle: async (request) => {
      await manage.remove(request.params.webhook_id, actorOf(request))
      return ok({})
    },
  }),
]

const trialRoute = (path: string, { tryWebhook }: WebhookUseCases): Route =>
  route({
    ...shared,
    method: 'POST',
    path,
    summary: 'Sends an example of an event to a webhook and tells what it answered.',
    params,
    body: trial,
    handle: async (request) => ok({ result: await tryWebhook(request.params.webhook_id, request.body.event ?? null, request.signal) }),
  })

const deliveryRoutes = ({ database, clock }: WebhookUseCases): Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/webhooks/:webhook_id/deliveries',
    access: 'admin',
    summary: 'What became of the events that a webhook follows, newest first.',
    params,
    query: z.strictObject({ status: z.enum(deliveryStatuses).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    response: webhookDeliveries,
    handle: async ({ params: { webhook_id: webhookId }, query: { status, limit } }) => {
      await requireWebhook(database, webhookId)
      return ok({ deliveries: (await readDeliveries(database, { webhookId, status: status ?? null, limit })).map(presentDelivery) })
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/webhooks/:webhook_id/deliveries/:delivery_id/redelivery',
    access: 'admin',
    summary: 'Sends again what was given up, under the id that it had.',
    params: params.extend({ delivery_id: z.uuid() }),
    handle: async ({ params: { webhook_id: webhookId, delivery_id: deliveryId } }) => {
      await requireWebhook(database, webhookId)
      if (await reviveDelivery(database, webhookId, deliveryId, clock())) return noContent
      throw new AppError('RESOURCE_DOES_NOT_EXIST', `Webhook ${webhookId} has no delivery ${deliveryId} that was given up`)
    },
  }),
]
