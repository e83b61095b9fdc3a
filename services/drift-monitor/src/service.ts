import { mapPermissions } from '@millrace/platform/access/map-permissions.ts'
import type { Service } from '@millrace/platform/service.ts'
import { locators, permissions } from './access.ts'
import { COUNTING_GROUP, createCloseWindows } from './close-windows.ts'
import { driftMonitorConfig } from './config.ts'
import { createCountRows } from './count-rows.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { createFollowServingState } from './follow-serving-state.ts'
import { createRoutes } from './http.ts'
import { createJudgePerformance } from './judge-performance.ts'
import { createLoadReferences } from './load-references.ts'
import { createLogRow } from './log-row.ts'
import { createPrune } from './prune.ts'
import { createReadReference } from './store/references.ts'

export { driftMonitorConfig }

export const migrations = new URL('../migrations/', import.meta.url)

/** Watches live traffic against the reference of the version in production. */
export function createDriftMonitor(deps: DriftMonitorDeps): Service {
  const closing = { ...deps, readReference: createReadReference() }
  return {
    name: 'drift-monitor',
    locators,
    routes: mapPermissions(permissions, [], createRoutes(deps)),
    consumers: [
      { group: COUNTING_GROUP, handlers: [createLogRow(deps)] },
      { group: 'drift-monitor.serving', handlers: [createFollowServingState(deps)] },
    ],
    jobs: [createLoadReferences(deps), createCountRows(closing), createCloseWindows(closing), createJudgePerformance(deps), createPrune(deps)],
    readiness: async () => ({ ready: true, detail: {} }),
  }
}
