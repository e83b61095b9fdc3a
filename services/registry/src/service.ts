import { runFinished, runStarted } from '@millrace/contracts/events/run-events.ts'
import { mapPermissions } from '@millrace/platform/access/map-permissions.ts'
import { on } from '@millrace/platform/events/handler.ts'
import type { Job, Service } from '@millrace/platform/service.ts'
import { createLocators } from './access/locators.ts'
import { permissions } from './access/permissions.ts'
import { createOwnersRoute } from './access/routes.ts'
import { createAuditRoutes } from './audit/http.ts'
import { registryConfig } from './config.ts'
import type { RegistryDeps } from './deps.ts'
import { createAliasRoutes } from './http/alias-routes.ts'
import { createArtifactRoute } from './http/artifact-route.ts'
import { createModelRoutes } from './http/model-routes.ts'
import { createOwnRoutes } from './http/own-routes.ts'
import { PREFIXES } from './http/prefixes.ts'
import { createServingStateRoute } from './http/serving-state-route.ts'
import { createStageRoutes } from './http/stage-routes.ts'
import { createVersionReadingRoutes } from './http/version-reading-routes.ts'
import { createVersionRoutes } from './http/version-routes.ts'
import { createLineageConsumer } from './lineage/on-version-news.ts'
import { onRunFinished, onRunStarted } from './on-run-finished.ts'
import { deliverLineageJobs } from './openlineage/deliver-lineage.ts'
import { createRegisterVersion, type RegisterVersion } from './register-version.ts'
import { createPolicyRoutes } from './registration-policies/http.ts'
import { createReleasePin } from './release-pin.ts'
import { abandonUnanswered } from './store/answers.ts'
import { dueReleases } from './store/pins.ts'
import { countPending, dueRegistrations, hastenRegistrations } from './store/registration.ts'
import { createUseCases } from './use-cases.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

export { registryConfig }

export const migrations = new URL('../migrations/', import.meta.url)

/** Versions that one pass of the job registers side by side. */
const REGISTRATIONS_AT_ONCE = 4
const RELEASES_AT_ONCE = 20

/** Registered models, versions, stages, aliases, lineage, audit trail; the only writer of stages and of the serving state. */
export function createRegistry(deps: RegistryDeps): Service {
  const registerVersion = createRegisterVersion(deps)
  const useCases = createUseCases(deps, registerVersion)
  const webhooks = createWebhooks(deps)
  return {
    name: 'registry',
    locators: createLocators(deps),
    routes: mapPermissions(permissions, PREFIXES, [
      ...createModelRoutes(useCases),
      ...createAliasRoutes(useCases),
      ...createVersionRoutes(useCases),
      ...createStageRoutes(useCases),
      ...createVersionReadingRoutes(useCases),
      ...createOwnRoutes(useCases),
      createServingStateRoute(deps.database),
      createArtifactRoute(deps),
      ...createAuditRoutes(deps),
      ...createPolicyRoutes(deps),
      ...webhooks.routes,
      createOwnersRoute(deps.database),
    ]),
    consumers: [{ group: 'registry', handlers: [on(runStarted, onRunStarted(deps)), on(runFinished, onRunFinished(deps))] }, createLineageConsumer()],
    jobs: [registrationJob(deps, registerVersion), releaseJob(deps), ...webhooks.jobs, ...deliverLineageJobs(deps)],
    start: async () => {
      await hastenRegistrations(deps.database, deps.clock())
      await abandonUnanswered(deps.database, deps.clock())
    },
    stop: webhooks.stop,
    readiness: async () => ({ ready: true, detail: { pendingRegistrations: await countPending(deps.database) } }),
  }
}

const registrationJob = ({ database, clock }: RegistryDeps, registerVersion: RegisterVersion): Job => ({
  name: 'register-versions',
  everyMs: 1_000,
  run: async (signal) => {
    const ids = await dueRegistrations(database, clock(), REGISTRATIONS_AT_ONCE)
    await Promise.all(ids.map((id) => registerVersion(id, signal)))
    return ids.length === REGISTRATIONS_AT_ONCE
  },
})

function releaseJob(deps: RegistryDeps): Job {
  const releasePin = createReleasePin(deps)
  return {
    name: 'release-artifacts',
    everyMs: 5_000,
    run: async (signal) => {
      const due = await dueReleases(deps.database, deps.clock(), RELEASES_AT_ONCE)
      for (const release of due) if (!signal.aborted) await releasePin(release, signal)
      return due.length === RELEASES_AT_ONCE
    },
  }
}
