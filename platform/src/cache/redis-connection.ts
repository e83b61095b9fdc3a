import { Redis } from 'ioredis'
import type { Started } from '../component.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

function checkUrl(url: string): void {
  if (/^rediss?:$/.test(URL.parse(url)?.protocol ?? '')) return
  throw new AppError('INVALID_PARAMETER_VALUE', 'The address of Redis is not understood: expected redis://user:password@host:port, or rediss:// for TLS')
}

/**
 * A connection that comes back by itself, in the background, and never queues: a command without a connection fails at once, and one that was on its way when
 * the connection broke is not sent again. An outage is logged once.
 * @throws AppError INVALID_PARAMETER_VALUE for an address that is none
 */
export function connectRedis(url: string, log: Log): Started<Redis> {
  checkUrl(url)
  const redis = new Redis(url, {
    connectionName: 'millrace',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // A server that hangs, or a network that swallows packets: the connection is given up and made anew.
    socketTimeout: 5_000,
    retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
    // After a failover the old primary answers that it is read-only now: look up the address again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
  let away = false
  const onAway = (reason: string): void => {
    if (!away) log.warn('Redis is away; the platform is slower until it is back', { reason })
    away = true
  }
  redis.on('error', (error) => onAway(error.message))
  redis.on('close', () => onAway('the connection was closed'))
  redis.on('ready', () => {
    if (away) log.info('Redis is back')
    away = false
  })
  return {
    value: redis,
    async stop() {
      away = true
      redis.disconnect()
    },
  }
}
