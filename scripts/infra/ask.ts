import { connect } from 'node:net'

/** Sends bytes to a port on loopback and resolves with what came back once `enough` says so. Rejects after a second, or when nobody listens. */
export function ask(port: number, request: Uint8Array | string, enough: (answer: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let answer = Buffer.alloc(0)
    const end = (error: Error | null): void => {
      socket.destroy()
      if (error) reject(error)
      else resolve(answer)
    }
    socket.setTimeout(1000, () => end(new Error(`no answer on port ${port}`)))
    socket.on('connect', () => socket.write(request))
    socket.on('error', end)
    socket.on('close', () => end(new Error(`port ${port} closed the connection`)))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (enough(answer)) end(null)
    })
  })
}

/** Whether anything at all listens on the port. */
export const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
