import type { EventPipeline, Writing } from './event-pipeline.ts'
import { delaysOf, firstMs, lastMs, nowMs } from './event-times.ts'
import { type Spread, spreadOf } from './percentile.ts'
import type { Plan } from './plan.ts'

export interface EventFigures {
  readonly throughput: { readonly events: number; readonly perSecond: number; readonly written: number }
  readonly latency: { readonly events: number; readonly perSecond: number; readonly ms: Spread }
  readonly backlog: { readonly events: number; readonly seconds: number }
}

/** Outbox, Kafka, inbox: the latency of an event where nothing waits, the throughput where nothing else is done, and a backlog. */
export async function measureEvents(pipeline: EventPipeline, plan: Plan, say: (line: string) => void): Promise<EventFigures> {
  await pipeline.flow()
  await through(pipeline, { name: 'warm', count: 200, perSecond: 100 })
  say(`${plan.latency.events} events at ${plan.latency.perSecond} per second`)
  const calm = await through(pipeline, { name: 'calm', count: plan.latency.events, perSecond: plan.latency.perSecond })
  say(`${plan.throughputEvents} events as fast as they go`)
  const fast = await through(pipeline, { name: 'fast', count: plan.throughputEvents })
  const perSecond = (seconds: number): number => plan.throughputEvents / seconds
  const began = firstMs(fast.committed)
  return {
    throughput: {
      events: plan.throughputEvents,
      perSecond: perSecond((lastMs(fast.handled) - began) / 1000),
      written: perSecond((lastMs(fast.committed) - began) / 1000),
    },
    latency: { ...plan.latency, ms: spreadOf(delaysOf(calm.committed, calm.handled)) },
    backlog: await measureBacklog(pipeline, plan, say),
  }
}

async function through(pipeline: EventPipeline, writing: Writing) {
  const committed = await pipeline.write(writing)
  return { committed, handled: await pipeline.handled(writing) }
}

/** Events that wait in the outbox while relay and consumer are stopped; from the start of both to the last event handled. */
async function measureBacklog(pipeline: EventPipeline, { backlogEvents: events }: Plan, say: (line: string) => void): Promise<EventFigures['backlog']> {
  say(`a backlog of ${events} events`)
  await pipeline.hold()
  const waiting: Writing = { name: 'backlog', count: events, perTransaction: 100 }
  const committed = await pipeline.write(waiting)
  const began = nowMs()
  await pipeline.flow()
  const handled = await pipeline.handled(waiting)
  delaysOf(committed, handled)
  return { events, seconds: (lastMs(handled) - began) / 1000 }
}
