import { type ServingState, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { done, type EventHandler, on, skip } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { resolveAlert } from './resolve-alert.ts'
import { lockMonitor, type Monitor, saveGeneration, startMonitor } from './store/monitors.ts'

type Deps = Pick<DriftMonitorDeps, 'publish' | 'clock' | 'log'>

/** Watches what is in production: a version that takes over is measured against its own reference, from its first row on. */
export const createFollowServingState = (deps: Deps): EventHandler =>
  on(servingStateChanged, async function onServingStateChanged({ data }, tx) {
    const monitor = await lockMonitor(tx, data.model)
    if (monitor && data.generation <= monitor.generation) return skip('an older generation')
    if (monitor && isSameVersion(monitor, data)) await saveGeneration(tx, data.model, data.generation)
    else await takeOver(deps, tx, monitor, data)
    return done
  })

const isSameVersion = (monitor: Monitor, state: ServingState): boolean =>
  monitor.version === (state.production?.version ?? null) && monitor.artifactSha256 === (state.production?.artifact.sha256 ?? null)

async function takeOver(deps: Deps, tx: Sql, before: Monitor | null, { model, generation, production }: ServingState): Promise<void> {
  // With nothing in production there is no reference to wait for; otherwise the alert ends once the reference is known.
  if (before && !production) await resolveAlert(deps, tx, before, 'nothing is in production any more')
  const takeover = { model, generation, version: production?.version ?? null, artifactSha256: production?.artifact.sha256 ?? null }
  await startMonitor(tx, { ...takeover, referenceState: production ? 'pending' : 'none' }, deps.clock())
  deps.log.info('Watching the traffic of another version', { model, version: takeover.version, generation })
}
