import { z } from 'zod'

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((name) => name.trim().toLowerCase() || []))

const ORIGINS = 'expected origins such as https://app.example, separated by commas'
const isOrigin = (text: string): boolean => URL.parse(text)?.origin === text

/** What the one public port shows to the outside. */
export const edgeSettings = {
  /** Host names under which the gateway may be called, such as `millrace.example`, separated by commas; none: any. */
  GATEWAY_PUBLIC_HOSTS: list,
  /** Web pages of these origins may call the API with an API key; none may unless named. */
  GATEWAY_CORS_ORIGINS: list.refine((origins) => origins.every(isOrigin), ORIGINS),
  /** PEM files of the certificate, with the chain above it, and its key: the port then takes TLS alone. Read again when they change. */
  GATEWAY_TLS_CERT_PATH: z.string().min(1).optional(),
  GATEWAY_TLS_KEY_PATH: z.string().min(1).optional(),
  /** Of predictions that succeeded, how many in a hundred get a line in the access log. All others get theirs. */
  GATEWAY_ACCESS_LOG_PERCENT: z.coerce.number().min(0).max(100).default(1),
  /** How long the record of administrative calls is kept. */
  GATEWAY_AUDIT_DAYS: z.coerce.number().int().min(1).max(3650).default(365),
}
