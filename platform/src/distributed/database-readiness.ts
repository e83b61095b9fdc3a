import type { Readiness, Service } from '../service.ts'
import type { Database } from '../sql/sql.ts'

const ASK_MS = 1000
/** A failover takes some seconds; taking every process out of the load balancer for it would make it worse. */
const TOLERANCE_MS = 5000

/** The service's own readiness, and whether the database answers: not ready once it has not for five seconds. */
export function withDatabaseReadiness(service: Service, database: Database, now: () => number = () => performance.now()): Service {
  let lastGood = now()
  return {
    ...service,
    async readiness(): Promise<Readiness> {
      try {
        await within(ASK_MS, database.query('select 1'))
        const own = await service.readiness()
        lastGood = now()
        return own
      } catch {
        return { ready: now() - lastGood < TOLERANCE_MS, detail: { database: 'does not answer' } }
      }
    },
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
