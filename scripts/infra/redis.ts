import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from './ask.ts'
import { needCommand } from './debian-packages.ts'
import type { Server } from './server.ts'

/** Redis as Debian packages it, on loopback, with a password; the append-only file is off, because what Millrace keeps here may be lost. */
export const redis: Server = {
  name: 'redis',
  async prepare({ settings, secrets }, directory) {
    await needCommand('redis-server', 'redis-server')
    mkdirSync(directory, { recursive: true })
    const lines = [
      'bind 127.0.0.1',
      `port ${settings.ports.redis}`,
      `requirepass ${secrets.redis}`,
      `dir ${directory}`,
      'save ""',
      'appendonly no',
      'daemonize no',
    ]
    const path = join(directory, 'redis.conf')
    writeFileSync(path, `${[...lines, 'maxmemory 256mb', 'maxmemory-policy allkeys-lru'].join('\n')}\n`, { mode: 0o600 })
    return { command: ['redis-server', path] }
  },
  async answers({ settings, secrets }) {
    const answer = await ask(settings.ports.redis, `AUTH ${secrets.redis}\r\nPING\r\n`, (bytes) => bytes.toString().split('\r\n').length > 2)
    return answer.toString() === '+OK\r\n+PONG\r\n'
  },
  environment: ({ settings, secrets }) => ({ REDIS_URL: `redis://:${secrets.redis}@127.0.0.1:${settings.ports.redis}` }),
}
