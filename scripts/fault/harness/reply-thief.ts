import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands before a service: requests reach it, the first bytes of an answer break the connection instead of coming through. */
export interface ReplyThief {
  readonly url: string
  /** Answers that never arrived. */
  readonly stolen: number
  stop(): Promise<void>
}

export async function openReplyThief(target: string): Promise<ReplyThief> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let stolen = 0
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) })
    keep(client)
    keep(upstream)
    client.on('data', (chunk) => upstream.write(chunk))
    client.on('close', () => upstream.destroy())
    upstream.once('data', () => {
      stolen += 1
      client.resetAndDestroy()
    })
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    get stolen() {
      return stolen
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
