import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a client and a server on loopback, and breaks the way between them on demand. */
export interface TcpGate {
  readonly port: number
  /** Connections that were broken: a test shows with it that its fault was felt. */
  readonly broken: number
  /** Breaks every connection and refuses new ones, as a server that is down. */
  shut(): Promise<void>
  /** Keeps connections and takes new ones, but nothing comes through any more, as a network that swallows packets. */
  swallow(): void
  /** Everything works again; what was swallowed before arrives. */
  heal(): Promise<void>
  stop(): Promise<void>
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port')
  return address.port
}

interface Way {
  readonly from: Socket
  readonly to: Socket
}

/** Bytes and a proper end go through; a connection that breaks breaks the other too. */
function open({ from, to }: Way): void {
  from.on('error', () => undefined)
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
  from.pipe(to)
}

export async function openTcpGate(target: { host: string; port: number }): Promise<TcpGate> {
  const ways = new Set<Way>()
  let swallowing = false
  let broken = 0
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true })
    const pair = [
      { from: client, to: upstream },
      { from: upstream, to: client },
    ]
    for (const way of pair) {
      ways.add(way)
      way.from.on('close', () => ways.delete(way))
      open(way)
      if (swallowing) way.from.unpipe()
    }
  })
  const port = await listen(server, 0)
  const breakAll = (): void => {
    broken += ways.size / 2
    for (const { from } of ways) from.resetAndDestroy()
  }
  const close = async (): Promise<void> => {
    if (!server.listening) return breakAll()
    const closed = once(server, 'close')
    server.close()
    breakAll()
    await closed
  }
  return {
    port,
    get broken() {
      return broken
    },
    shut: close,
    swallow() {
      swallowing = true
      for (const { from } of ways) from.unpipe()
    },
    async heal() {
      swallowing = false
      for (const { from, to } of ways) from.pipe(to)
      if (!server.listening) await listen(server, port)
    },
    stop: close,
  }
}

/** The same address with the gate in between. */
export function throughGate(url: string, gate: TcpGate): string {
  const changed = new URL(url)
  changed.hostname = '127.0.0.1'
  changed.port = String(gate.port)
  return changed.href
}
