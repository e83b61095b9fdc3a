import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import { Pool } from 'undici'

/** One address of a service, with its connections. */
export interface Pod {
  readonly origin: string
  readonly pool: Pool
  inFlight: number
  /** Until then other pods are asked first. */
  downUntilMs: number
}

export interface Pods {
  /** The pod with the fewest requests in progress that is not in `tried`; one that lately refused connections only where there is no other. Null when there is none left. */
  pick(tried: readonly Pod[]): Pod | null
  /** Remembers that the pod took no connection. */
  markDown(pod: Pod): void
  inFlight(): number
  stop(): Promise<void>
}

export interface PodsOptions {
  /** Base URLs, asked at every request: pods come and go, and in one process a port is known only once it is open. */
  readonly list: () => readonly string[]
  /** Mutual TLS to `https://` addresses. */
  readonly tls: ServiceTls | null
  readonly connections: number
  readonly connectTimeoutMs: number
}

const DOWN_MS = 1000

export function createPods(options: PodsOptions): Pods {
  const known = new Map<string, Pod>()
  let listed: readonly string[] = []
  let pods: Pod[] = []

  function refresh(): void {
    const list = options.list()
    if (list.length === listed.length && list.every((origin, index) => origin === listed[index])) return
    listed = [...list]
    pods = listed.map((origin) => known.get(origin) ?? open(origin))
    for (const [origin, pod] of known) if (!listed.includes(origin)) close(origin, pod)
  }
  function open(origin: string): Pod {
    const connect = { timeout: options.connectTimeoutMs, ...options.tls }
    const pool = new Pool(origin, { connections: options.connections, pipelining: 1, connect, keepAliveTimeout: 4000 })
    const pod: Pod = { origin, pool, inFlight: 0, downUntilMs: 0 }
    known.set(origin, pod)
    return pod
  }
  /** Lets requests in progress finish. */
  function close(origin: string, pod: Pod): void {
    known.delete(origin)
    pod.pool.close().catch(() => pod.pool.destroy())
  }

  return {
    pick(tried) {
      refresh()
      const now = performance.now()
      return pods.filter((pod) => !tried.includes(pod)).reduce<Pod | null>((best, pod) => (best === null || isBetter(pod, best, now) ? pod : best), null)
    },
    markDown(pod) {
      pod.downUntilMs = performance.now() + DOWN_MS
    },
    inFlight: () => pods.reduce((sum, pod) => sum + pod.inFlight, 0),
    async stop() {
      await Promise.all([...known.values()].map((pod) => pod.pool.destroy()))
    },
  }
}

function isBetter(pod: Pod, best: Pod, now: number): boolean {
  const [down, bestDown] = [pod.downUntilMs > now, best.downUntilMs > now]
  return down === bestDown ? pod.inFlight < best.inFlight : bestDown
}
