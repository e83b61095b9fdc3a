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

export async function openTcpGate(target: { host: string; port: number }): Promise<TcpGate> {
  const sockets = new Set<Socket>()
  let swallowing = false
  let broken = 0
  const forget = (socket: Socket): void => {
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    const upstream = connect(target)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      forget(from)
      from.on('close', () => to.destroy())
      from.on('data', (chunk) => to.write(chunk))
      if (swallowing) from.pause()
    }
  })
  const port = await listen(server, 0)
  const breakAll = (): void => {
    broken += sockets.size / 2
    for (const socket of sockets) socket.resetAndDestroy()
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
      for (const socket of sockets) socket.pause()
    },
    async heal() {
      swallowing = false
      for (const socket of sockets) socket.resume()
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
