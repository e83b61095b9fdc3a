import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'

export interface OpenLoop {
  readonly url: string
  readonly perSecond: number
  readonly forMs: number
}

export interface OpenLoopResult {
  readonly sent: number
  /** By status; 0 where there was no answer. */
  readonly statuses: Readonly<Record<string, number>>
  /** Good answers while requests came in, per second. */
  readonly goodput: number
  /** Milliseconds from the time at which a request was due, of good answers. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const BODY = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] })

/** Predictions on a fixed schedule, however long the answers take: a closed loop slows down with what it measures, and hides queues. */
export async function openLoop({ url, perSecond, forMs }: OpenLoop): Promise<OpenLoopResult> {
  const pool = new Pool(url, { connections: 4096 })
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  const beganMs = performance.now()
  const endsMs = beganMs + forMs
  let good = 0
  const ask = async (dueMs: number): Promise<void> => {
    const status = await answerOf(pool)
    const nowMs = performance.now()
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status !== 200) return
    latencies.push(nowMs - dueMs)
    if (nowMs < endsMs) good += 1
  }
  const asked: Promise<void>[] = []
  while (performance.now() < endsMs) {
    const due = Math.floor(((performance.now() - beganMs) * perSecond) / 1000)
    while (asked.length < due) asked.push(ask(beganMs + (asked.length * 1000) / perSecond))
    await pause(1)
  }
  await Promise.all(asked)
  await pool.close()
  const sorted = latencies.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { sent: asked.length, statuses, goodput: (good * 1000) / forMs, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN }
}

async function answerOf(pool: Pool): Promise<number> {
  try {
    const answer = await pool.request({ method: 'POST', path: '/v2/models/mlp/infer', headers: { 'content-type': 'application/json' }, body: BODY })
    await answer.body.dump()
    return answer.statusCode
  } catch {
    return 0
  }
}
