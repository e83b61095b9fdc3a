import { setTimeout as pause } from 'node:timers/promises'
import { runFinished } from '@millrace/contracts/events/run-events.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { createRelay, type Relay } from '@millrace/platform/events/relay.ts'
import { createRelayLease } from '@millrace/platform/events/relay-lease.ts'
import { watchCommits } from '@millrace/platform/host.ts'
import { z } from 'zod'
import { openEventAdapters } from './event-adapters.ts'
import { type EventTimes, nowMs } from './event-times.ts'
import { serveParent } from './serve-parent.ts'

const WRITERS = 8
const writing = z.object({
  /** Subjects are `<name>-0`, `<name>-1` and so on. */
  name: z.string(),
  count: z.number(),
  /** As fast as the database takes them where there is none. */
  perSecond: z.number().optional(),
  perTransaction: z.number().default(1),
})

const lifetime = new Lifetime()
const adapters = await openEventAdapters('bench_writer', lifetime)
const { log, metrics, eventLog } = adapters
const database = watchCommits(adapters.database)
const lease = await lifetime.start(createRelayLease(adapters))
const publish = createPublish({ source: '/millrace/bench', clock: systemClock, newId: newUuidV7 })
let relay: Started<Relay> | null = null
database.follow(({ published }) => {
  if (published) relay?.value.wake()
})

/** What a run of medium size says at its end: 0.6 kB. */
const dataOf = (runId: string) => ({
  ...{
    runId,
    experimentId: '1',
    runName: `run ${runId}`,
    user: 'bench',
    status: 'FINISHED',
    startTime: null,
    endTime: null,
    artifactUri: `mlflow-artifacts:/1/${runId}`,
  },
  tags: { 'mlflow.source.name': 'train.py', 'mlflow.source.type': 'LOCAL' },
  params: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`parameter_${index}`, String(index / 10)])),
  metrics: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`metric_${index}`, index / 10])),
  ...{ datasets: [], outputs: [] },
})

/** Writes events in transactions of their own, several at a time. @returns when each was committed */
async function write({ name, count, perSecond, perTransaction }: z.infer<typeof writing>): Promise<EventTimes> {
  const begun = performance.now()
  const committed: EventTimes = []
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < count) {
      const subjects = Array.from({ length: Math.min(perTransaction, count - next) }, () => `${name}-${next++}`)
      if (perSecond) await pause(Math.max(0, begun + (next / perSecond) * 1000 - performance.now()))
      await database.transaction(async (tx) => {
        for (const subject of subjects) await publish(tx, { definition: runFinished, subject, data: dataOf(subject) })
      })
      const at = nowMs()
      committed.push(...subjects.map((subject): EventTimes[number] => [subject, at]))
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return committed
}

async function stopRelay(): Promise<void> {
  await relay?.stop()
  relay = null
}

serveParent(
  {
    startRelay() {
      relay ??= createRelay({ database: database.unwatched, eventLog, log, metrics, clock: systemClock, pollMs: 50, ...lease })
    },
    stopRelay,
    write: (input) => write(writing.parse(input)),
  },
  async () => {
    await stopRelay()
    await lifetime.stop()
  },
)
