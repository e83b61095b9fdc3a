import { rm } from 'node:fs/promises'
import { TrackingClient } from '@millrace/contracts/client/tracking-client.ts'
import { mapPermissions } from '@millrace/platform/access/map-permissions.ts'
import type { Service } from '@millrace/platform/service.ts'
import { createLocators, permissions } from './access.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import { createCancelJob } from './cancel-job.ts'
import { createCodeReader } from './code-state.ts'
import { trainerConfig } from './config.ts'
import type { TrainerDeps } from './deps.ts'
import { createThreadEngine } from './engine.ts'
import { createEvaluateJob } from './evaluate-model.ts'
import { createHandlers } from './follow-alerts.ts'
import { createRoutes } from './http.ts'
import { createRunJobs } from './run-jobs.ts'
import { createSettleJobs } from './settle-jobs.ts'
import { leftovers } from './sweep-scratch.ts'
import { apiOver } from './tracking-api.ts'
import { createWatchDataJob } from './watch-data.ts'

export { trainerConfig }

export const migrations = new URL('../migrations/', import.meta.url)

/** Trains models as jobs, retrains them when alerts say so, and evaluates sealed ones on the data of others. */
export function createTrainer(deps: TrainerDeps): Service {
  const engine = deps.engine ?? createThreadEngine({ maxHeapMb: deps.config.TRAINER_MAX_HEAP_MB })
  const running = new Map<string, AttemptWatch>()
  const own = { ...deps, engine, running, readCode: createCodeReader(), runs: new TrackingClient(apiOver(deps.tracking)) }
  return {
    name: 'trainer',
    locators: createLocators(deps.database),
    routes: mapPermissions(permissions, [], createRoutes({ ...deps, cancelJob: createCancelJob(own) })),
    consumers: [{ group: 'trainer', handlers: createHandlers(deps) }],
    jobs: [...createRunJobs(own), ...createSettleJobs(own), createWatchDataJob(own), createEvaluateJob(own)],
    readiness: async () => ({ ready: true, detail: { running: running.size, slots: deps.config.TRAINER_CONCURRENCY } }),
    async start() {
      for (const path of await leftovers(deps)) await rm(path, { recursive: true, force: true })
    },
  }
}
