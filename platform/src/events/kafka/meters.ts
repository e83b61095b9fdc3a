import type { Metrics } from '../../telemetry/metrics.ts'

/** What a member reports of itself. */
export interface Meters {
  event(kind: 'join' | 'rebalance' | 'crash' | 'fatal' | 'stuck' | 'request-timeout'): void
  lag(topic: string, partition: number, records: number): void
  /** The partition is another member's now. */
  forgetLag(topic: string, partition: number): void
}

/** `group` is a label: broadcast members share one, because each has a group id of its own. */
export function createMeters(metrics: Metrics | null, group: string): Meters {
  const events = metrics?.counter('kafka_client_events_total', 'What happened to a member of a consumer group', ['group', 'event'])
  const lag = metrics?.gauge('consumer_lag', 'Records of a partition that are not received yet', ['group', 'topic', 'partition'])
  return {
    event: (event) => events?.add({ group, event }),
    lag: (topic, partition, records) => lag?.set({ group, topic, partition: String(partition) }, records),
    forgetLag: (topic, partition) => lag?.remove({ group, topic, partition: String(partition) }),
  }
}
