import type { ClientConfig } from 'pg'
import { AppError } from '../errors.ts'
import { postgresTypes } from './postgres-types.ts'

export interface PostgresAddress {
  /** `postgres://user:password@host:port/database`, with `?sslmode=verify-full&sslrootcert=…` for TLS. */
  readonly url: string
  /** Everything runs with this schema as the search path. */
  readonly schema: string
}

export const quoteIdentifier = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

/** Blanks part the settings of a startup packet's `options`; a backslash keeps them (libpq, "Parameter Key Words", `options`). */
const escapeOption = (value: string): string => value.replaceAll(/[\\\s]/g, (character) => `\\${character}`)

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url && /^postgres(ql)?:$/.test(url.protocol)) return url
  throw new AppError('INVALID_PARAMETER_VALUE', 'The address of the database is not understood: expected postgres://user:password@host:port/database')
}

/** Host, port and database, for messages. */
export function describeAddress(text: string): string {
  const { host, pathname } = parseUrl(text)
  return `${host || 'the local socket'}${pathname}`
}

/**
 * Settings of one connection. What a role or a database may have changed is pinned, because it changes what values look like. They are part of the startup
 * packet: no statement of their own, and in force again after every reconnect.
 * @throws AppError INVALID_PARAMETER_VALUE for an address that is none
 */
export function connectionConfig({ url: text, schema }: PostgresAddress, settings: Readonly<Record<string, string | number>>): ClientConfig {
  const url = parseUrl(text)
  const pinned = {
    search_path: quoteIdentifier(schema),
    timezone: 'UTC',
    datestyle: 'ISO',
    bytea_output: 'hex',
    default_transaction_isolation: 'read committed',
  }
  const options = Object.entries({ ...pinned, ...settings }).map(([name, value]) => `-c ${name}=${escapeOption(String(value))}`)
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', ...options].join(' ').trim())
  return {
    connectionString: url.href,
    types: postgresTypes,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: `millrace ${schema}`.slice(0, 63),
  }
}
