import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { ensureTopics } from '@millrace/platform/events/kafka/ensure-topics.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { z } from 'zod'
import { benchTopics, connectionOf } from './event-adapters.ts'
import { type EventTimes, eventTimes } from './event-times.ts'
import { startPart } from './part.ts'

export interface Writing {
  readonly name: string
  readonly count: number
  readonly perSecond?: number
  readonly perTransaction?: number
}

/** A service that writes events and one that handles them, each a process with a schema of its own, and the broker between them. */
export interface EventPipeline {
  /** Lets events flow. */
  flow(): Promise<void>
  /** Stops the relay and the consumer: what is written waits in the outbox. */
  hold(): Promise<void>
  write(writing: Writing): Promise<EventTimes>
  /** Resolves when all events of the name are handled. */
  handled(writing: Pick<Writing, 'name' | 'count'>): Promise<EventTimes>
}

const nothing = z.unknown()

export async function startEventPipeline(env: NodeJS.ProcessEnv): Promise<Started<EventPipeline>> {
  await ensureTopics(connectionOf(env), benchTopics, { replication: 1, log: silentLog })
  const lifetime = new Lifetime()
  const [writer, reader] = [await lifetime.start(startPart('writer-part.ts', env)), await lifetime.start(startPart('reader-part.ts', env))]
  return {
    value: {
      flow: async () => void (await Promise.all([writer.ask('startRelay', nothing), reader.ask('follow', nothing)])),
      hold: async () => void (await Promise.all([writer.ask('stopRelay', nothing), reader.ask('unfollow', nothing)])),
      write: (writing) => writer.ask('write', eventTimes, writing),
      handled: ({ name, count }) => reader.ask('collect', eventTimes, { name, count }),
    },
    stop: () => lifetime.stop(),
  }
}
