import { setTimeout as pause } from 'node:timers/promises'
import { until } from '@millrace/platform/testing/until.ts'
import { kafka } from '../infra/kafka/kafka.ts'
import { readSecrets } from '../infra/secrets.ts'
import { readSettings } from '../infra/settings.ts'
import type { EventPipeline } from './event-pipeline.ts'
import { delaysOf, firstMs, lastMs, nowMs } from './event-times.ts'
import { callInfra, type Place, root } from './place.ts'
import type { Plan } from './plan.ts'

export interface OutageFigures {
  /** From the stop of the broker to its first answer after the start. */
  readonly awaySeconds: number
  /** Committed while it was away; all of them were handled. */
  readonly events: number
  /** From the broker's first answer to the first event handled. */
  readonly firstSeconds: number
  /** From the broker's first answer to the last event of the outage. */
  readonly allSeconds: number
}

const BEFORE_MS = 2000
const AFTER_MS = 8000

/** Stops the broker while events are committed at a steady rate, and starts it again. */
export async function measureOutage(place: Place, pipeline: EventPipeline, plan: Plan, say: (line: string) => void): Promise<OutageFigures> {
  say(`the broker is away for ${plan.outageMs / 1000} s`)
  const perSecond = plan.eventsPerSecondInOutage
  const name = 'outage'
  const count = Math.ceil(((BEFORE_MS + plan.outageMs + AFTER_MS) / 1000) * perSecond)
  const writing = pipeline.write({ name, count, perSecond })
  await pause(BEFORE_MS)
  await callInfra(place, 'down', 'kafka')
  const goneMs = nowMs()
  await pause(plan.outageMs)
  const starting = callInfra(place, 'up', 'kafka')
  const backMs = await untilAnswers(place)
  await starting
  const committed = await writing
  const handled = await pipeline.handled({ name, count })
  delaysOf(committed, handled)
  const subjects = new Set(committed.filter(([, at]) => at > goneMs && at < backMs).map(([subject]) => subject))
  const waited = handled.filter(([subject]) => subjects.has(subject))
  return {
    awaySeconds: (backMs - goneMs) / 1000,
    events: subjects.size,
    firstSeconds: (firstMs(waited) - backMs) / 1000,
    allSeconds: (lastMs(waited) - backMs) / 1000,
  }
}

/** Resolves with the time of the broker's first answer. */
async function untilAnswers({ env }: Place): Promise<number> {
  const settings = readSettings(env, root)
  const context = { settings, secrets: readSecrets(settings.directory) }
  await until(() => kafka.answers(context), { timeoutMs: 60_000, everyMs: 10 })
  return nowMs()
}
