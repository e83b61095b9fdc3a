import type { IncomingMessage } from 'node:http'

const LINGER_MS = 5000

/**
 * Reads and throws away what is left of a body that nobody wants: a client that is still sending would otherwise never see the answer, and its connection could take
 * no further request. One that goes on for five seconds is cut off.
 */
export function linger(request: IncomingMessage): void {
  if (request.destroyed) return
  request.resume()
  if (request.complete) return
  // The request lets go of its socket when it is over: it must be at hand when the time is up.
  const { socket } = request
  const cut = setTimeout(() => socket?.destroy(), LINGER_MS)
  const calm = (): void => clearTimeout(cut)
  request.once('end', calm).once('close', calm)
}
