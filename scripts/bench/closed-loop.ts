import { connect, type Socket } from 'node:net'

export interface ClosedLoop {
  readonly url: string
  /** Each sends its next request when it has the answer to the last. */
  readonly connections: number
  readonly forMs: number
  /** Of an infer request, where nothing else is said. */
  readonly path?: string | undefined
  readonly body?: string | undefined
  readonly contentType?: string | undefined
}

export interface LoopResult {
  readonly answers: number
  readonly failures: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const BODY = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] })
const HEAD_END = Buffer.from('\r\n\r\n')

/** Asks for a prediction again and again on plain sockets, because a full HTTP client would cost more than what is measured. */
export async function closedLoop({ url, connections, forMs, ...asked }: ClosedLoop): Promise<LoopResult> {
  const { hostname, port } = new URL(url)
  const request = requestOf(url, asked)
  const latencies: number[] = []
  const counts = { failures: 0 }
  const beganMs = performance.now()
  const untilMs = beganMs + forMs
  await Promise.all(Array.from({ length: connections }, () => askUntil(connect(Number(port), hostname), request, untilMs, latencies, counts)))
  const seconds = (performance.now() - beganMs) / 1000
  const sorted = latencies.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { answers: latencies.length, failures: counts.failures, seconds, p50: at(0.5), p99: at(0.99) }
}

/** A request with all its bytes, to be sent again and again. */
export function requestOf(
  url: string,
  { path = '/v2/models/mlp/infer', body = BODY, contentType = 'application/json' }: Pick<ClosedLoop, 'path' | 'body' | 'contentType'>,
): Buffer {
  const length = Buffer.byteLength(body)
  return Buffer.from(`POST ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: ${contentType}\r\nContent-Length: ${length}\r\n\r\n${body}`)
}

function askUntil(socket: Socket, request: Buffer, untilMs: number, latencies: number[], counts: { failures: number }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.setNoDelay(true)
  let sentMs = 0
  let pending = Buffer.alloc(0)
  const send = (): void => {
    sentMs = performance.now()
    if (sentMs >= untilMs) socket.destroy()
    else socket.write(request)
  }
  socket.once('connect', send)
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const length = answerLength(pending)
    if (length === null || pending.length < length) return
    if (pending.toString('latin1', 9, 12) === '200') latencies.push(performance.now() - sentMs)
    else counts.failures += 1
    pending = pending.subarray(length)
    send()
  })
  socket.once('error', () => {
    counts.failures += 1
  })
  socket.once('close', () => resolve())
  return promise
}

/** Bytes of the first answer; null while its head is incomplete. Answers without a length are chunked, and end with an empty chunk. */
export function answerLength(bytes: Buffer): number | null {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return null
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, end)) ?? []
  if (length !== undefined) return end + 4 + Number(length)
  const last = bytes.indexOf('\r\n0\r\n\r\n', end)
  return last < 0 ? null : last + 7
}
