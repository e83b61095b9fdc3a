import { Lifetime } from '@millrace/platform/component.ts'
import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { Dispatcher } from 'undici'
import type { GatewayConfig } from '../config.ts'
import { RetryBudget } from '../domain/retry-budget.ts'
import { type UpstreamName, upstreamNames } from '../domain/route-table.ts'
import { createPods, type Pod, type Pods } from './pods.ts'
import { createProbe, watchPods } from './watch-pods.ts'

export interface Upstream {
  readonly pods: Pods
  readonly budget: RetryBudget
}
export type Upstreams = Readonly<Record<UpstreamName, Upstream>>

export interface UpstreamsDeps {
  readonly upstreams: Readonly<Record<UpstreamName, () => readonly string[]>>
  readonly serverNameOf?: ((origin: string) => string | undefined) | undefined
  readonly tls: ServiceTls | null
  readonly config: GatewayConfig
  readonly log: Log
  readonly metrics: Metrics
  /** For questions that must not wait behind requests. */
  readonly probes: Dispatcher
}

const CONNECTIONS = 256
export const CONNECT_TIMEOUT_MS = 2000
/** The protocol's own question: a pod that is stopping, or has nothing loaded, says no. */
const READY_PATH = '/v2/health/ready'
const REVIEW_EVERY_MS = 1000

/** The pods of every service; `start` begins to watch them. */
export function openUpstreams(deps: UpstreamsDeps) {
  const { config, log, metrics, probes } = deps
  const ejections = metrics.counter('gateway_ejections_total', 'Pods left alone for a while, by the reason.', ['upstream', 'reason'])
  const states = metrics.gauge('gateway_pods', 'Pods by what the gateway makes of them.', ['upstream', 'state'])
  const rules = { faultsUntilEjection: config.GATEWAY_EJECT_AFTER_FAULTS, ejectionMs: config.GATEWAY_EJECTION_MS, slowStartMs: config.GATEWAY_SLOW_START_MS }
  const budget = { percent: config.GATEWAY_RETRY_PERCENT, minPerSecond: config.GATEWAY_RETRY_MIN_PER_SECOND }
  const open = (name: UpstreamName): Upstream => ({
    budget: new RetryBudget(budget, performance.now()),
    pods: createPods({
      ...{ list: deps.upstreams[name], tls: deps.tls, connections: CONNECTIONS, connectTimeoutMs: CONNECT_TIMEOUT_MS, rules },
      ...(deps.serverNameOf ? { serverNameOf: deps.serverNameOf } : {}),
      maxEjectedPercent: config.GATEWAY_MAX_EJECTED_PERCENT,
      onEjected(pod, reason) {
        ejections.add({ upstream: name, reason })
        log.info('A pod is left alone for a while', { upstream: name, pod, reason })
      },
    }),
  })
  const upstreams = openAll(open)
  const watching = new Lifetime()
  return {
    upstreams,
    start(): void {
      for (const name of upstreamNames) {
        const onLook = (pods: readonly Pod[]): void => countStates(states, name, pods)
        const asked = name === 'inference'
        const probe = asked ? createProbe(probes, READY_PATH, config.GATEWAY_PROBE_TIMEOUT_MS) : null
        const watch = watchPods({ pods: upstreams[name].pods, probe, everyMs: asked ? config.GATEWAY_PROBE_EVERY_MS : REVIEW_EVERY_MS, log, onLook })
        watching.onStop(() => watch.stop())
      }
    },
    async stop(): Promise<void> {
      await watching.stop()
      await Promise.all(upstreamNames.map((name) => upstreams[name].pods.stop()))
    },
  }
}

const openAll = (open: (name: UpstreamName) => Upstream): Upstreams => ({
  tracking: open('tracking'),
  registry: open('registry'),
  trainer: open('trainer'),
  promoter: open('promoter'),
  'drift-monitor': open('drift-monitor'),
  inference: open('inference'),
})

function countStates(states: ReturnType<Metrics['gauge']>, upstream: UpstreamName, pods: readonly Pod[]): void {
  const nowMs = performance.now()
  const stateOf = ({ health }: Pod): string => (health.isEjected(nowMs) ? 'ejected' : health.isServing(nowMs) ? 'serving' : health.readiness)
  const counts = Map.groupBy(pods, stateOf)
  for (const state of ['serving', 'ejected', 'not_ready', 'gone']) states.set({ upstream, state }, counts.get(state)?.length ?? 0)
}
