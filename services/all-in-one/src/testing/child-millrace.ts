import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { createUserClient, type UserClient } from '../user/user-client.ts'

/** An all-in-one Millrace in a process of its own, so that it can be killed. */
export interface ChildMillrace {
  readonly client: UserClient
  /** Kills the process without warning as soon as an event of this type is seen, and resolves when it is gone. */
  killOn(type: string): Promise<void>
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const START_MS = 60_000
const liveEvent = z.looseObject({ type: z.string(), time: z.string() })

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export async function startChild(dataRoot: string, port: number): Promise<ChildMillrace> {
  const env = { ...process.env, PORT: String(port), MILLRACE_DATA: dataRoot, MILLRACE_SKIP_SAMPLE: 'true', PROMOTER_LEASE_MS: '1000' }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  const gone = once(child, 'exit')
  const client = createUserClient(`http://127.0.0.1:${port}`)
  await client.waitFor(
    'Millrace to start',
    async () => {
      if (child.exitCode !== null) throw new Error(`Millrace ended early: ${output.join('')}`)
      return output.join('').includes('Ready.') ? true : null
    },
    START_MS,
  )
  return {
    client,
    killOn: async (type) => {
      await seeEvent(client.url, type)
      await killAndWait(child, gone)
    },
    kill: () => killAndWait(child, gone),
    stop: async () => {
      child.kill('SIGTERM')
      await gone
      return child.exitCode
    },
  }
}

async function killAndWait(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await gone
}

/** Reads the live stream until an event of the type happens after now. */
async function seeEvent(url: string, type: string): Promise<void> {
  const since = Date.now()
  const response = await fetch(new URL('/api/v1/events', url))
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    const events = lines.filter((line) => line.startsWith('data: ')).map((line) => liveEvent.parse(JSON.parse(line.slice(6))))
    if (events.some((event) => event.type === type && Date.parse(event.time) >= since)) return
  }
  throw new Error(`the stream ended before ${type} was seen`)
}
