import { setTimeout as pause } from 'node:timers/promises'
import { type ServingState, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { servingSnapshot } from '@millrace/contracts/http/registry.ts'
import type { Started } from '@millrace/platform/component.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { decodeRecord } from '@millrace/platform/events/cloudevents.ts'
import type { DeliveredRecord } from '@millrace/platform/events/event-log.ts'
import type { InferenceDeps } from './deps.ts'
import type { LastGood } from './last-good.ts'
import type { ServingSet } from './serving-set.ts'

export interface FollowDeps extends Pick<InferenceDeps, 'log' | 'metrics' | 'eventLog' | 'registry'> {
  readonly serving: ServingSet
  readonly lastGood: LastGood
}

export interface Follower {
  /** Asks the registry for what was missed, and tries again what failed in passing. Says nothing where the registry is away. */
  reconcile(signal: AbortSignal): Promise<void>
  /** Whether any source has told what to serve. */
  readonly informed: boolean
  /** Whether the registry did not answer the last time. */
  readonly stale: boolean
}

const SNAPSHOT_TIMEOUT_MS = 3000
const SUBSCRIBE_PAUSE_MS = 1000

/** Feeds the one fenced reducer from the copy on disk, the topic's tail and the registry, in whatever order they come. Waits for the disk alone. */
export async function startFollower(deps: FollowDeps): Promise<Started<Follower>> {
  const behind = deps.metrics.gauge('serving_generation_lag', 'Generations that the registry is behind what this pod holds; above 0 somebody must act.', [
    'model',
  ])
  const status = { informed: false, stale: true, etag: null as string | null }

  function accept(state: ServingState, source: string): void {
    status.informed = true
    if (!deps.serving.apply(state)) return
    deps.log.info('serving state followed', { model: state.model, generation: state.generation, source })
    if (source !== 'disk') deps.lastGood.save(() => deps.serving.all().map((served) => served.state))
  }

  async function reconcile(signal: AbortSignal): Promise<void> {
    try {
      const answer = await deps.registry.ifChanged({
        path: '/api/v1/serving-state',
        etag: status.etag,
        response: servingSnapshot,
        timeoutMs: SNAPSHOT_TIMEOUT_MS,
        signal,
      })
      for (const state of answer?.body.states ?? []) {
        const held = deps.serving.get(state.model)?.state.generation ?? 0
        behind.set({ model: state.model }, Math.max(0, held - state.generation))
        if (held > state.generation) deps.log.error('the registry is behind this pod', { model: state.model, held, registry: state.generation })
        accept(state, 'registry')
      }
      if (answer) status.etag = answer.etag
      status.stale = false
      status.informed = true
    } catch (error) {
      if (!status.stale) deps.log.warn('the registry does not answer; serving what is known', { reason: messageOf(error) })
      status.stale = true
    }
    deps.serving.retryTransient()
  }

  const known = await deps.lastGood.read()
  for (const state of known) accept(state, 'disk')
  const tail = followTail(deps, (state) => accept(state, 'log'))
  return {
    value: {
      reconcile,
      get informed() {
        return status.informed
      },
      get stale() {
        return status.stale
      },
    },
    async stop() {
      await tail.stop()
      await deps.lastGood.flushed()
    },
  }
}

/** Joins the topic behind the start: a log that is away must not hold up a pod. Tried until it works. */
function followTail({ eventLog, log }: FollowDeps, accept: (state: ServingState) => void): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  async function receive(record: DeliveredRecord): Promise<void> {
    const decoded = decodeRecord(record)
    if (decoded.kind !== 'event' || decoded.event.type !== servingStateChanged.type) return
    const state = servingStateChanged.data.safeParse(decoded.event.data)
    if (state.success) accept(state.data)
    else log.error('a serving state on the log cannot be read', { offset: record.offset, reason: state.error.message })
  }
  async function join(): Promise<Started<null> | null> {
    while (!stopping.signal.aborted) {
      try {
        return await eventLog.broadcast({ topics: [servingStateChanged.topic], receive })
      } catch (error) {
        log.warn('the log cannot be followed; polling the registry', { reason: messageOf(error) })
        await pause(SUBSCRIBE_PAUSE_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      }
    }
    return null
  }
  const joined = join()
  return {
    async stop() {
      stopping.abort()
      await (await joined)?.stop()
    },
  }
}
