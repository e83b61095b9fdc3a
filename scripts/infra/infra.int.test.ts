import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = join(import.meta.dirname, 'infra.ts')

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const listening = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server))
    server.on('error', reject)
  })
const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

async function freePort(): Promise<number> {
  const server = await listening(0)
  const address = server.address()
  await closed(server)
  return typeof address === 'object' && address ? address.port : 0
}

describeWith('redis', () => {
  let directory = ''
  let port = 0
  const call = (...args: string[]): Promise<Answer> =>
    new Promise((resolve) => {
      const env = { ...process.env, MILLRACE_INFRA_DIR: directory, MILLRACE_REDIS_PORT: String(port) }
      execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
    })

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-infra-'))
    port = await freePort()
  })
  afterEach(async () => {
    await call('down')
    await rm(directory, { recursive: true, force: true })
  })

  test('up starts a server that answers, a second up leaves it alone, down stops it', async () => {
    const first = await call('up', 'redis')
    expect(first.stdout).toMatch(new RegExp(`^REDIS_URL=redis://:[\\w-]{32}@127.0.0.1:${port}\\n$`))
    const pid = await readFile(join(directory, 'redis', 'server.pid'), 'utf8')
    expect((await call('up', 'redis')).stdout).toBe(first.stdout)
    expect(await readFile(join(directory, 'redis', 'server.pid'), 'utf8')).toBe(pid)
    expect(await call('status', 'redis')).toMatchObject({ code: 0, stdout: expect.stringContaining(`answers on 127.0.0.1:${port}`) })
    expect((await call('down', 'redis')).stderr).toBe('redis: stopped\n')
    expect(await call('status', 'redis')).toMatchObject({ code: 1, stdout: 'redis: not running\n' })
    await closed(await listening(port))
  })

  test('what holds a secret is for its owner alone', async () => {
    await call('up', 'redis')
    for (const file of ['env', 'secrets.json', 'redis/redis.conf']) expect((await stat(join(directory, file))).mode & 0o077).toBe(0)
  })

  test('a port that another program holds is left to it', async () => {
    const other = await listening(port)
    const { code, stderr } = await call('up', 'redis')
    expect(code).toBe(1)
    expect(stderr).toContain(`port ${port} is taken by another program: set MILLRACE_REDIS_PORT to a free one`)
    expect((await call('down', 'redis')).stderr).toBe('redis: was not running\n')
    await closed(other)
  })

  test.each([
    [['start'], 'expected up, down or status'],
    [['up', 'mysql'], 'there is no server mysql: expected kafka, postgres, redis, s3'],
  ])('%j is refused with what was expected', async (args, message) => {
    const { code, stderr } = await call(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
  })
})
