import type { Started } from '@millrace/platform/component.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Dispatcher } from 'undici'
import type { Readiness } from '../domain/pod-health.ts'
import type { Pod, Pods } from './pods.ts'

export interface WatchOptions {
  readonly pods: Pods
  /** Asks a pod whether it is ready; null for no answer. None where pods are judged by their answers alone. */
  readonly probe: ((pod: Pod) => Promise<boolean | null>) | null
  readonly everyMs: number
  readonly log: Log
  /** Called after every look. */
  readonly onLook: (pods: readonly Pod[]) => void
}

/** Looks at the pods of a service every `everyMs`: asks each whether it is ready, and takes requests away from one that no longer answers anything. */
export function watchPods(options: WatchOptions): Started<null> {
  const asking = new Set<Promise<void>>()
  const asked = new WeakSet<Pod>()
  const look = (): void => {
    const pods = options.pods.all()
    options.pods.review()
    for (const pod of options.probe ? pods : []) {
      if (asked.has(pod)) continue
      asked.add(pod)
      const answer = askOne(options, pod).finally(() => {
        asked.delete(pod)
        asking.delete(answer)
      })
      asking.add(answer)
    }
    options.onLook(pods)
  }
  look()
  const timer = setInterval(look, options.everyMs)
  return {
    value: null,
    async stop() {
      clearInterval(timer)
      await Promise.all(asking)
    },
  }
}

async function askOne({ pods, probe, log }: WatchOptions, pod: Pod): Promise<void> {
  const beganMs = performance.now()
  const before = pod.health.readiness
  const ready = (await probe?.(pod)) ?? null
  // Busy, not gone: it answers others meanwhile.
  if (ready === null && pod.lastAnswerMs > beganMs) return
  pod.health.probed(ready, performance.now())
  tell(log, pod, before)
  if (pod.health.readiness === 'gone') moveCalls(pods, pod)
}

function tell(log: Log, pod: Pod, before: Readiness): void {
  const now = pod.health.readiness
  if (now === before || before === 'unknown') return
  const write = now === 'gone' ? log.warn : log.info
  write('A pod changed', { pod: pod.origin, from: before, to: now })
}

/** Requests that nobody has answered go to another pod, if there is one: a process that stands still keeps its connections open for ever. */
function moveCalls(pods: Pods, pod: Pod): void {
  const nowMs = performance.now()
  if (!pods.all().some((other) => other !== pod && other.health.isServing(nowMs))) return
  for (const call of [...pod.calls]) if (call.isMovable()) call.cancel(new GoneError('the pod stands still'))
}

/** The pod no longer answers anything. */
export class GoneError extends TransientError {}

/** Asks `path` of a pod over a connection of its own, so that it does not wait behind requests. */
export const createProbe = (dispatcher: Dispatcher, path: string, timeoutMs: number) =>
  async function probe({ origin }: Pod): Promise<boolean | null> {
    try {
      const answer = await dispatcher.request({ origin, path, method: 'GET', signal: AbortSignal.timeout(timeoutMs) })
      await answer.body.dump()
      return answer.statusCode === 200
    } catch {
      return null
    }
  }
