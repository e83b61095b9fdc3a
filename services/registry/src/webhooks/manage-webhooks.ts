import { AppError } from '@millrace/platform/errors.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from '../actor.ts'
import type { RegistryDeps } from '../deps.ts'
import { isStorable } from '../domain/names.ts'
import { appendAudit } from '../store/audit.ts'
import { dropDeliveries } from './delivery-store.ts'
import type { SecretSeal } from './secret-seal.ts'
import { findWebhook, insertWebhook, lockWebhook, markWebhookDeleted, saveWebhook, type WebhookRow, type WebhookStatus } from './store.ts'

export type WebhookDeps = Pick<RegistryDeps, 'database' | 'clock' | 'newId' | 'outside'>

/** What a webhook consists of, as it was asked for. */
export interface WebhookFields {
  readonly name: string
  readonly description: string
  readonly url: string
  readonly events: readonly string[]
  readonly status: WebhookStatus
  /** Empty: none, deliveries are not signed. */
  readonly secret: string
}

/** Creates, changes and deletes webhooks, each with its audit row. @throws AppError INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST */
export const createManageWebhooks = (deps: WebhookDeps, seal: SecretSeal) => ({
  async create(fields: WebhookFields, actor: Actor): Promise<WebhookRow> {
    const id = deps.newId()
    const secret = sealed(seal, fields.secret, id)
    await refuseHost(deps.outside, fields.url)
    return deps.database.transaction((tx) => insert(deps, tx, { ...fields, id, secret }, actor))
  },
  async update(id: string, fields: Partial<WebhookFields>, actor: Actor): Promise<WebhookRow> {
    const { secret, ...rest } = fields
    const next: Partial<WebhookRow> = secret === undefined ? rest : { ...rest, secret: sealed(seal, secret, id) }
    await requireWebhook(deps.database, id)
    if (fields.url !== undefined) await refuseHost(deps.outside, fields.url)
    await deps.database.transaction((tx) => change(deps, tx, id, next, actor))
    return requireWebhook(deps.database, id)
  },
  remove: (id: string, actor: Actor): Promise<void> => deps.database.transaction((tx) => remove(deps, tx, id, actor)),
})

const sealed = (seal: SecretSeal, secret: string, id: string): Buffer | null => (secret === '' ? null : seal.seal(secret, id))

const webhookNotFound = (id: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `Webhook with ID ${id} not found.`)

export async function requireWebhook(sql: Sql, id: string): Promise<WebhookRow> {
  const row = isStorable(id) ? await findWebhook(sql, id) : null
  if (!row) throw webhookNotFound(id)
  return row
}

/** Told at once what every delivery would run into. Each delivery looks again: names may resolve to something else by then. */
async function refuseHost(outside: OutsideClient, url: string): Promise<void> {
  const { hostname } = new URL(url)
  const problem = await outside.findProblem(hostname)
  if (!problem) return
  const message =
    problem.kind === 'unresolvable'
      ? `Cannot resolve webhook URL hostname '${hostname}': ${problem.detail}`
      : `Webhook URL must not resolve to a non-public IP address. '${hostname}' resolves to ${problem.detail}.`
  throw new AppError('INVALID_PARAMETER_VALUE', message)
}

async function insert({ clock }: WebhookDeps, tx: Sql, webhook: Parameters<typeof insertWebhook>[1], actor: Actor): Promise<WebhookRow> {
  const now = clock()
  await insertWebhook(tx, webhook, now)
  await audit(tx, actor, now, 'create-webhook', webhook)
  return requireWebhook(tx, webhook.id)
}

async function change({ clock }: WebhookDeps, tx: Sql, id: string, fields: Partial<WebhookRow>, actor: Actor): Promise<void> {
  const row = await lockWebhook(tx, id)
  if (!row) throw webhookNotFound(id)
  const now = clock()
  const next = { ...row, ...fields }
  await saveWebhook(tx, next, now)
  await audit(tx, actor, now, 'update-webhook', next, Object.keys(fields))
}

async function remove({ clock }: WebhookDeps, tx: Sql, id: string, actor: Actor): Promise<void> {
  const row = isStorable(id) ? await lockWebhook(tx, id) : null
  if (!row) throw webhookNotFound(id)
  const now = clock()
  await markWebhookDeleted(tx, id, now)
  await dropDeliveries(tx, id, 'the webhook was deleted', now)
  await audit(tx, actor, now, 'delete-webhook', row)
}

type Audited = Pick<WebhookRow, 'id' | 'name' | 'url' | 'events' | 'status' | 'secret'>

/** Of a URL only the host is told: its path may be a secret of the receiver. */
async function audit(tx: Sql, actor: Actor, now: Date, action: string, { id, name, url, events, status, secret }: Audited, changed?: string[]): Promise<void> {
  const details = { webhookId: id, name, host: new URL(url).host, events, status, signed: secret !== null, ...(changed ? { changed } : {}) }
  await appendAudit(tx, actor, now, { action, model: '', modelId: null, details })
}
