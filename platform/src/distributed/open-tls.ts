import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { AppError, messageOf } from '../errors.ts'
import type { ServiceTls } from '../http/service-tls.ts'

/** Mutual TLS between services, where all three name a PEM file: certificate with its chain, its key, the authority of all services. */
export const tlsSettings = {
  TLS_CERT_FILE: z.string().min(1).optional(),
  TLS_KEY_FILE: z.string().min(1).optional(),
  TLS_CA_FILE: z.string().min(1).optional(),
}

type TlsConfig = z.infer<z.ZodObject<typeof tlsSettings>>

const names = ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'TLS_CA_FILE'] as const

/** Null where none is set. @throws AppError INVALID_PARAMETER_VALUE with everything that is missing, cannot be read or does not belong together */
export function openTls(config: TlsConfig): ServiceTls | null {
  const missing = names.filter((name) => !config[name])
  if (missing.length === names.length) return null
  if (missing.length > 0) throw wrong(`missing ${missing.join(' and ')}: set all of ${names.join(', ')}, or none`)
  const read = names.map((name) => readPem(name, config[name] ?? ''))
  const problems = read.flatMap(({ problem }) => problem ?? [])
  if (problems.length > 0) throw wrong(problems.join('; '))
  const [cert = '', key = '', ca = ''] = read.map(({ text }) => text)
  try {
    createSecureContext({ cert, key, ca })
  } catch (cause) {
    throw wrong(`${names.join(', ')} do not belong together or are no PEM: ${messageOf(cause)}`, cause)
  }
  return { cert, key, ca }
}

/** With mutual TLS nothing may be sent in the clear. @throws AppError INVALID_PARAMETER_VALUE */
export function requireHttps(tls: ServiceTls | null, urls: readonly string[]): void {
  const plain = tls ? urls.filter((url) => !url.startsWith('https://')) : []
  if (plain.length > 0) throw wrong(`services are called with TLS, but not at ${plain.join(', ')}: expected https:// addresses`)
}

function readPem(name: string, path: string): { text: string; problem: string | null } {
  try {
    const text = readFileSync(path, 'utf8')
    return { text, problem: text.includes('-----BEGIN ') ? null : `${name} is not a PEM file: expected -----BEGIN ... in ${path}` }
  } catch (cause) {
    return { text: '', problem: `${name} cannot be read: ${messageOf(cause)}` }
  }
}

const wrong = (message: string, cause?: unknown): AppError => new AppError('INVALID_PARAMETER_VALUE', `TLS settings: ${message}`, { cause })
