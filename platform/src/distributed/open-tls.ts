import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { AppError, messageOf } from '../errors.ts'
import type { ServiceTls } from '../http/service-tls.ts'

const pem = z
  .string()
  .regex(/-----BEGIN /)
  .optional()

/**
 * Mutual TLS between services, where all three are set: own certificate with its chain, its key, the authority of all services. PEM, usually as files:
 * TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE.
 */
export const tlsSettings = { TLS_CERT: pem, TLS_KEY: pem, TLS_CA: pem }

type TlsConfig = z.infer<z.ZodObject<typeof tlsSettings>>

/** Null where none is set. @throws AppError INVALID_PARAMETER_VALUE where one is missing, or they do not belong together */
export function openTls({ TLS_CERT: cert, TLS_KEY: key, TLS_CA: ca }: TlsConfig): ServiceTls | null {
  if (!cert && !key && !ca) return null
  if (!cert || !key || !ca) {
    const missing = Object.entries({ TLS_CERT: cert, TLS_KEY: key, TLS_CA: ca }).flatMap(([name, value]) => (value ? [] : `${name}_FILE`))
    throw wrong(`missing ${missing.join(' and ')}: set all of TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE, or none`)
  }
  try {
    // The context takes an authority that is none, and would then refuse everybody.
    new X509Certificate(ca)
    createSecureContext({ cert, key, ca })
  } catch (cause) {
    throw wrong(`certificate, key and authority do not belong together or are no PEM: ${messageOf(cause)}`, cause)
  }
  return { cert, key, ca }
}

/** With mutual TLS nothing may be sent in the clear. @throws AppError INVALID_PARAMETER_VALUE */
export function requireHttps(tls: ServiceTls | null, urls: readonly string[]): void {
  const plain = tls ? urls.filter((url) => !url.startsWith('https://')) : []
  if (plain.length > 0) throw wrong(`services are called with TLS, but not at ${plain.join(', ')}: expected https:// addresses`)
}

const wrong = (message: string, cause?: unknown): AppError => new AppError('INVALID_PARAMETER_VALUE', `TLS settings: ${message}`, { cause })
