import type { Pool } from 'pg'
import type { Metrics } from '../telemetry/metrics.ts'

export interface PoolMetrics {
  onLost(): void
  /** Measures how long a connection was waited for. */
  waited<T>(borrow: () => Promise<T>): Promise<T>
}

export function measurePool(pool: Pool, schema: string, metrics: Metrics): PoolMetrics {
  const connections = metrics.gauge('database_connections', 'Connections to PostgreSQL, and callers that wait for one', ['schema', 'state'])
  const lost = metrics.counter('database_connections_lost_total', 'Idle connections to PostgreSQL that broke', ['schema'])
  const seconds = metrics.histogram('database_connection_wait_seconds', 'Time until a connection to PostgreSQL was free', ['schema'])
  const measure = (): void => {
    connections.set({ schema, state: 'open' }, pool.totalCount)
    connections.set({ schema, state: 'idle' }, pool.idleCount)
    connections.set({ schema, state: 'waiting' }, pool.waitingCount)
  }
  for (const event of ['connect', 'acquire', 'release', 'remove'] as const) pool.on(event, measure)
  return {
    onLost: () => lost.add({ schema }),
    async waited(borrow) {
      const start = performance.now()
      try {
        return await borrow()
      } finally {
        seconds.observe({ schema }, (performance.now() - start) / 1000)
      }
    },
  }
}
