import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Prediction } from './load-report.ts'
import { createAgent, predict } from './predict.ts'
import { serveParent } from './serve-parent.ts'

const settings = z.object({ url: z.string(), model: z.string(), perSecond: z.number() })

/**
 * Sends predictions at a fixed rate whatever becomes of them (an open loop), and keeps how each ended. A latency counts from the moment at which the request was
 * due, so that a stall is not hidden by the requests that it held up.
 */
async function run({ url, model, perSecond }: z.infer<typeof settings>, ended: AbortSignal): Promise<Prediction[]> {
  const agent = createAgent()
  const begun = Date.now()
  const running: Promise<Prediction>[] = []
  const send = async (n: number, dueMs: number): Promise<Prediction> => {
    const sentMs = Date.now()
    const { kind, version, reason } = await predict(agent, { url, model }, n)
    return { kind, version, reason, sentMs, tookMs: Date.now() - dueMs }
  }
  while (!ended.aborted) {
    const due = Math.floor(((Date.now() - begun) / 1000) * perSecond)
    while (running.length < due) running.push(send(running.length, begun + (running.length / perSecond) * 1000))
    await pause(1)
  }
  const predictions = await Promise.all(running)
  agent.destroy()
  return predictions
}

const stopping = new AbortController()
let running: Promise<Prediction[]> = Promise.resolve([])
serveParent({
  start(input) {
    running = run(settings.parse(input), stopping.signal)
  },
  stop() {
    stopping.abort()
    return running
  },
})
