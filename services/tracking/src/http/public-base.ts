import type { IncomingHttpHeaders } from 'node:http'
import { invalid } from '../refusals.ts'

const HOST = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/**
 * The address under which the caller reaches this server, for addresses that it is to call next: as configured, or as the gateway was called. Whoever sends a
 * false host is misled by it and nobody else.
 */
export function publicBase(configured: string | undefined, headers: IncomingHttpHeaders): string {
  if (configured) return configured.replace(/\/+$/, '')
  const host = headers['x-forwarded-host'] ?? headers.host
  if (typeof host !== 'string' || !HOST.test(host)) throw invalid('The Host header names no host: expected a name or an address, and a port')
  return `${headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${host}`
}
