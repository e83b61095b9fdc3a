import { messageOf, TransientError } from '@millrace/platform/errors.ts'
import { OutsideRefused } from '@millrace/platform/http/outside-client.ts'
import type { RegistryDeps } from '../deps.ts'
import { exampleOf } from './domain/example-announcement.ts'
import { bodyOf } from './domain/registry-change.ts'
import { eventOfName, type WebhookEvent } from './domain/webhook-event.ts'
import { requireWebhook } from './manage-webhooks.ts'
import { type SecretSeal, SecretUnreadable } from './secret-seal.ts'
import { headersOf } from './sign-delivery.ts'

export type TryDeps = Pick<RegistryDeps, 'database' | 'clock' | 'newId' | 'outside' | 'config'>

/** As MLflow answers it. */
export interface TrialResult {
  readonly success: boolean
  readonly response_status?: number
  readonly response_body?: string
  readonly error_message?: string
}

const KEPT_BYTES = 65_536

const failure = (message: string): TrialResult => ({ success: false, error_message: `Failed to test webhook: ${message}` })

/**
 * Sends MLflow's example of an event (of the webhook's first one where none is named), signed as a delivery would be, once. What goes wrong on the way is the
 * result. @throws AppError RESOURCE_DOES_NOT_EXIST
 */
export const createTryWebhook = ({ database, clock, newId, outside, config }: TryDeps, seal: SecretSeal) =>
  async function tryWebhook(id: string, event: WebhookEvent | null, signal: AbortSignal): Promise<TrialResult> {
    const webhook = await requireWebhook(database, id)
    const example = exampleOf(event ?? eventOfName(webhook.events[0] ?? ''))
    const body = bodyOf(example, clock())
    try {
      const secret = webhook.secret === null ? null : seal.open(webhook.secret, webhook.id)
      const headers = headersOf({ deliveryId: newId(), body, secret }, clock())
      const timeoutMs = config.REGISTRY_WEBHOOK_TIMEOUT_MS
      const answer = await outside.post({ url: webhook.url, headers, body, timeoutMs, keepBytes: KEPT_BYTES, signal })
      const answered = { response_status: answer.status, ...(answer.body === '' ? {} : { response_body: answer.body }) }
      if (answer.status < 300 || answer.status >= 400) return { success: answer.status < 400, ...answered }
      return { ...failure('redirects are not followed, give the final URL'), ...answered }
    } catch (error) {
      if (error instanceof TransientError || error instanceof OutsideRefused || error instanceof SecretUnreadable) return failure(messageOf(error))
      throw error
    }
  }
