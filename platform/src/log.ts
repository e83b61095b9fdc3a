import { type Logger, pino } from 'pino'

type Fields = Readonly<Record<string, unknown>>

/** Constant message plus fields. INFO is a business fact, WARN healed itself, ERROR means that somebody must act. Secrets are never passed in. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  child(fields: Fields): Log
}

const REDACTED = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  '*.authorization',
  '*.cookie',
  '*.password',
  '*.secret',
  '*.token',
  '*.apiKey',
]

const wrap = (logger: Logger): Log => ({
  debug: (message, fields) => logger.debug(fields ?? {}, message),
  info: (message, fields) => logger.info(fields ?? {}, message),
  warn: (message, fields) => logger.warn(fields ?? {}, message),
  error: (message, fields) => logger.error(fields ?? {}, message),
  child: (fields) => wrap(logger.child(fields)),
})

/** JSON lines to `destination` (a file path or standard error); fields with the names of secrets are redacted, `error` fields keep stack and cause. */
export function createLog(options: { level: string; destination?: string | number }): Log {
  const redact = { paths: REDACTED, censor: '[redacted]' }
  const serializers = { error: pino.stdSerializers.err }
  return wrap(pino({ level: options.level, redact, serializers, base: null }, pino.destination({ dest: options.destination ?? 2, sync: true, mkdir: true })))
}

export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silentLog }
