import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import { Pool } from 'undici'
import { findSlowPods } from '../domain/latency-outlier.ts'
import { mayEject, pickPod } from '../domain/pick-pod.ts'
import { type HealthRules, PodHealth } from '../domain/pod-health.ts'

/** A request that a pod has in its hands. */
export interface RunningCall {
  /** Nothing of an answer has come yet, and it may be asked of another pod. */
  readonly isMovable: () => boolean
  /** Ends it with an error. */
  readonly cancel: (reason: Error) => void
}

/** One address of a service, with its connections. */
export interface Pod {
  readonly origin: string
  readonly pool: Pool
  readonly health: PodHealth
  readonly calls: Set<RunningCall>
  readonly inFlight: number
  /** When it last answered anything. */
  lastAnswerMs: number
}

export type EjectionReason = 'faults' | 'latency' | 'refused'

export interface Pods {
  /** The pod to ask next that is not in `tried`; null when there is none left. */
  pick(tried: readonly Pod[]): Pod | null
  all(): readonly Pod[]
  /** Requests in progress on all pods. */
  inFlight(): number
  /** The pod answered, after `latencyMs`; null for a "not now", whose speed says nothing. */
  answered(pod: Pod, latencyMs: number | null): void
  /** It answered badly or broke off: enough of that in a row, and it is left alone for a while. */
  failed(pod: Pod): void
  /** It took no connection: certainly nobody is there. */
  refused(pod: Pod): void
  /** Leaves pods alone whose answers take far longer than the others', and forgives those that behave. */
  review(): void
  stop(): Promise<void>
}

export interface PodsOptions {
  /** Base URLs, asked at every request: pods come and go, and in one process a port is known only once it is open. */
  readonly list: () => readonly string[]
  /** Mutual TLS to `https://` addresses. */
  readonly tls: ServiceTls | null
  /** The name that the certificate at an address must hold for, where the address is a number that was looked up. */
  readonly serverNameOf?: (origin: string) => string | undefined
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly rules: HealthRules
  readonly maxEjectedPercent: number
  readonly onEjected: (origin: string, reason: EjectionReason) => void
}

export function createPods(options: PodsOptions): Pods {
  const known = new Map<string, Pod>()
  const closing = new Set<Pool>()
  let listed: readonly string[] = []
  let pods: Pod[] = []
  let turn = 0

  function refresh(): void {
    const list = options.list()
    if (list.length === listed.length && list.every((origin, index) => origin === listed[index])) return
    const isFirst = listed.length === 0
    listed = [...list]
    pods = listed.map((origin) => known.get(origin) ?? open(origin, isFirst))
    for (const [origin, pod] of known) if (!listed.includes(origin)) close(origin, pod)
  }
  function open(origin: string, isFirst: boolean): Pod {
    const pod = openPod(options, origin, isFirst)
    known.set(origin, pod)
    return pod
  }
  /** Lets requests in progress finish. */
  function close(origin: string, { pool }: Pod): void {
    known.delete(origin)
    closing.add(pool)
    const forget = (): void => void closing.delete(pool)
    pool.close().then(forget, () => pool.destroy().finally(forget))
  }
  function eject(pod: Pod, reason: EjectionReason): void {
    const nowMs = performance.now()
    if (pod.health.isEjected(nowMs)) return
    const ejected = pods.filter(({ health }) => health.isEjected(nowMs)).length
    if (!mayEject(pods.length, ejected, options.maxEjectedPercent)) return
    pod.health.eject(nowMs)
    options.onEjected(pod.origin, reason)
  }
  return {
    pick(tried) {
      refresh()
      turn = (turn + 1) % 1_000_000
      return pickPod(pods, tried, performance.now(), turn)
    },
    all() {
      refresh()
      return pods
    },
    inFlight: () => pods.reduce((sum, pod) => sum + pod.inFlight, 0),
    answered(pod, latencyMs) {
      pod.lastAnswerMs = performance.now()
      if (latencyMs !== null) pod.health.answered(latencyMs)
    },
    failed(pod) {
      if (pod.health.failed(performance.now())) eject(pod, 'faults')
    },
    refused(pod) {
      const nowMs = performance.now()
      if (!pod.health.isEjected(nowMs)) options.onEjected(pod.origin, 'refused')
      pod.health.refused(nowMs)
    },
    review() {
      const nowMs = performance.now()
      for (const pod of findSlowPods(pods)) eject(pod, 'latency')
      for (const pod of pods) pod.health.forgive(nowMs)
    },
    async stop() {
      await Promise.all([...[...known.values()].map(({ pool }) => pool), ...closing].map((pool) => pool.destroy()))
    },
  }
}

function openPod(options: PodsOptions, origin: string, isFirst: boolean): Pod {
  const servername = options.serverNameOf?.(origin)
  const connect = { timeout: options.connectTimeoutMs, ...options.tls, ...(servername ? { servername } : {}) }
  const pool = new Pool(origin, { connections: options.connections, pipelining: 1, connect, keepAliveTimeout: 4000 })
  const nowMs = performance.now()
  const calls = new Set<RunningCall>()
  return {
    ...{ origin, pool, calls, health: new PodHealth(options.rules, nowMs, isFirst), lastAnswerMs: nowMs },
    get inFlight() {
      return calls.size
    },
  }
}
