import { Counter, Gauge, Histogram, Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>

/**
 * Prometheus instruments, one registry per service. Names get the `millrace_` prefix; base units; labels must be bounded (never a run or request id).
 * Asking twice for the same name gives the same instrument.
 */
export interface Metrics {
  counter(name: string, help: string, labelNames?: readonly string[]): { add(labels?: Labels, by?: number): void }
  gauge(name: string, help: string, labelNames?: readonly string[]): { set(labels: Labels, value: number): void; remove(labels: Labels): void }
  histogram(name: string, help: string, labelNames?: readonly string[], buckets?: readonly number[]): { observe(labels: Labels, value: number): void }
  /** Text exposition format. */
  expose(): Promise<string>
}

/** Seconds; the objectives' thresholds are edges. */
export const latencyBuckets = [0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  const known = new Map<string, unknown>()
  const once = <T>(name: string, make: (name: string) => T): T => {
    const full = `millrace_${name}`
    const existing = known.get(full)
    // The cast is sound: a name is only ever made by one kind of instrument; prom-client refuses a second registration otherwise.
    if (existing) return existing as T
    const made = make(full)
    known.set(full, made)
    return made
  }
  return {
    counter(name, help, labelNames = []) {
      const counter = once(name, (full) => new Counter({ name: full, help, labelNames: [...labelNames], registers: [registry] }))
      return { add: (labels = {}, by = 1) => counter.inc(labels, by) }
    },
    gauge(name, help, labelNames = []) {
      const gauge = once(name, (full) => new Gauge({ name: full, help, labelNames: [...labelNames], registers: [registry] }))
      return { set: (labels, value) => gauge.set(labels, value), remove: (labels) => gauge.remove(labels) }
    },
    histogram(name, help, labelNames = [], buckets = latencyBuckets) {
      const histogram = once(name, (full) => new Histogram({ name: full, help, labelNames: [...labelNames], buckets: [...buckets], registers: [registry] }))
      return { observe: (labels, value) => histogram.observe(labels, value) }
    },
    expose: () => registry.metrics(),
  }
}
