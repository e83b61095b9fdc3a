import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { answerLength, type ClosedLoop, type LoopResult, requestOf } from '../closed-loop.ts'

export interface SteadyLoad extends Pick<ClosedLoop, 'url' | 'path' | 'body' | 'forMs'> {
  readonly perSecond: number
}

const CONNECTIONS = 256
const LAST_ANSWERS_MS = 10_000

/** One connection, one request at a time. */
interface Lane {
  ask(request: Buffer, onAnswer: (ok: boolean) => void): void
  close(): void
}

/**
 * Sends at a fixed rate whatever becomes of the requests before (an open loop). A latency counts from the moment at which the request was due, so that a stall is not hidden by the
 * requests that it held up.
 */
export async function steadyLoad({ url, perSecond, forMs, ...asked }: SteadyLoad): Promise<LoopResult> {
  const request = requestOf(url, asked)
  const latencies: number[] = []
  const counts = { failures: 0 }
  const waiting: number[] = []
  const lanes = await Promise.all(Array.from({ length: CONNECTIONS }, () => openLane(new URL(url))))
  const free = [...lanes]
  const give = (lane: Lane): void => {
    const dueMs = waiting.shift()
    if (dueMs === undefined) return void free.push(lane)
    lane.ask(request, (ok) => {
      if (ok) latencies.push(performance.now() - dueMs)
      else counts.failures += 1
      give(lane)
    })
  }
  const beganMs = performance.now()
  const elapsedMs = (): number => performance.now() - beganMs
  for (let sent = 0; elapsedMs() < forMs; await pause(1)) {
    for (const due = Math.floor((elapsedMs() / 1000) * perSecond); sent < due; sent += 1) {
      waiting.push(beganMs + (sent / perSecond) * 1000)
      const lane = free.pop()
      if (lane) give(lane)
    }
  }
  while (free.length < CONNECTIONS && elapsedMs() < forMs + LAST_ANSWERS_MS) await pause(5)
  for (const lane of lanes) lane.close()
  const sorted = latencies.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { answers: latencies.length, failures: counts.failures + CONNECTIONS - free.length, seconds: forMs / 1000, p50: at(0.5), p99: at(0.99) }
}

async function openLane({ port, hostname }: URL): Promise<Lane> {
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.once('error', reject)
  await promise
  let pending = Buffer.alloc(0)
  let answered: (ok: boolean) => void = () => undefined
  socket.on('error', () => answered(false))
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const length = answerLength(pending)
    if (length === null || pending.length < length) return
    const ok = pending.toString('latin1', 9, 12) === '200'
    pending = pending.subarray(length)
    answered(ok)
  })
  return {
    ask(request, onAnswer) {
      answered = onAnswer
      socket.write(request)
    },
    close: () => void socket.destroy(),
  }
}
