import { createHmac } from 'node:crypto'

export interface Outgoing {
  readonly deliveryId: string
  readonly body: string
  /** Null where the webhook has none: then nothing is signed. */
  readonly secret: string | null
}

/**
 * The headers that MLflow sends: `X-MLflow-Signature` is `v1,` and the base64 of HMAC-SHA256 over `<delivery id>.<unix seconds>.<body>` with the webhook's secret.
 * The time is that of the attempt: receivers refuse what is older than five minutes.
 */
export function headersOf({ deliveryId, body, secret }: Outgoing, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000))
  const headers = { 'Content-Type': 'application/json', 'User-Agent': 'Millrace', 'X-MLflow-Delivery-Id': deliveryId, 'X-MLflow-Timestamp': timestamp }
  if (secret === null) return headers
  const signature = createHmac('sha256', secret).update(`${deliveryId}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'X-MLflow-Signature': `v1,${signature}` }
}
