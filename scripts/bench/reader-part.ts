import { runFinished } from '@millrace/contracts/events/run-events.ts'
import { systemClock } from '@millrace/platform/clock.ts'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { createReceive } from '@millrace/platform/events/consume.ts'
import { done, on } from '@millrace/platform/events/handler.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { z } from 'zod'
import { openEventAdapters } from './event-adapters.ts'
import { type EventTimes, nowMs } from './event-times.ts'
import { serveParent } from './serve-parent.ts'

const GROUP = 'bench'
const PATIENCE_MS = 180_000
const collecting = z.object({ name: z.string(), count: z.number() })

const lifetime = new Lifetime()
const adapters = await openEventAdapters('bench_reader', lifetime)
await adapters.database.query('create table if not exists finished_run (run_id text primary key, status text not null)')

/** The effect: one row, in the transaction of the inbox. */
const handler = on(runFinished, async ({ data }, tx) => {
  await tx.query('insert into finished_run (run_id, status) values ($1, $2)', [data.runId, data.status])
  return done
})
const receive = createReceive({ ...adapters, consumer: { group: GROUP, handlers: [handler] }, clock: systemClock })
const handled = new Map<string, number>()
let following: Started<unknown> | null = null

async function unfollow(): Promise<void> {
  await following?.stop()
  following = null
}

/** Waits for all events of a name. @returns when the effect of each was committed */
async function collect({ name, count }: z.infer<typeof collecting>): Promise<EventTimes> {
  const found = (): EventTimes => [...handled].filter(([subject]) => subject.startsWith(`${name}-`))
  await until(() => found().length >= count, { timeoutMs: PATIENCE_MS, everyMs: 100 })
  return found()
}

serveParent(
  {
    async follow() {
      following ??= await adapters.eventLog.subscribe({
        group: GROUP,
        topics: [runFinished.topic],
        async receive(record, signal) {
          await receive(record, signal)
          if (record.key !== null && !handled.has(record.key)) handled.set(record.key, nowMs())
        },
      })
    },
    unfollow,
    collect: (input) => collect(collecting.parse(input)),
  },
  async () => {
    await unfollow()
    await lifetime.stop()
  },
)
