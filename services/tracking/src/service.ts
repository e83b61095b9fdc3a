import { mapPermissions } from '@millrace/platform/access/map-permissions.ts'
import type { Service } from '@millrace/platform/service.ts'
import { createLocators } from './access/locators.ts'
import { permissions, prefixes } from './access/permissions.ts'
import { accessRoutes } from './access/routes.ts'
import { createCollectGarbage } from './artifacts/collect-garbage.ts'
import { trackingConfig } from './config.ts'
import type { TrackingDeps, TrackingParts } from './deps.ts'
import { downloadRoutes, proxyRoutes, runArtifactRoutes } from './http/artifact-routes.ts'
import { comparisonRoutes } from './http/comparison-routes.ts'
import { datasetRoutes } from './http/dataset-routes.ts'
import { experimentRoutes } from './http/experiment-routes.ts'
import { historyRoutes } from './http/history-routes.ts'
import { linkRoutes } from './http/link-routes.ts'
import { loggedModelArtifactRoutes } from './http/logged-model-artifact-routes.ts'
import { loggedModelRoutes } from './http/logged-model-routes.ts'
import { loggedModelSearchRoutes } from './http/logged-model-search-routes.ts'
import { loggingRoutes } from './http/logging-routes.ts'
import { mountArtifactProxy, mountMlflow } from './http/mount.ts'
import { multipartRoutes } from './http/multipart-routes.ts'
import { presignedRoutes, presignedRunRoutes } from './http/presigned-routes.ts'
import { runRoutes } from './http/run-routes.ts'
import { sealRoutes } from './http/seal-routes.ts'
import { searchRoutes } from './http/search-routes.ts'
import { serverRoutes } from './http/server-routes.ts'
import { createSettleUploads } from './uploads/settle-uploads.ts'
import { createTakeIn } from './uploads/take-in.ts'

export { trackingConfig }

/** Numbered SQL files that this service's schema is made by. */
export const migrations: URL = new URL('../migrations/', import.meta.url)

/** Experiments, runs, logged models and artifacts: MLflow's tracking server, with artifacts that can be sealed. */
export function createTracking(deps: TrackingDeps): Service {
  const mlflow = [
    experimentRoutes,
    runRoutes,
    loggingRoutes,
    linkRoutes,
    searchRoutes,
    historyRoutes,
    datasetRoutes,
    runArtifactRoutes,
    presignedRunRoutes,
    downloadRoutes,
    // Before the routes of one model: `search` is no id.
    loggedModelSearchRoutes,
    loggedModelRoutes,
    loggedModelArtifactRoutes,
  ]
  const parts: TrackingParts = { ...deps, takeIn: createTakeIn(deps) }
  return {
    name: 'tracking',
    locators: createLocators(deps.database),
    routes: mapPermissions(permissions, prefixes, [
      ...mountMlflow(mlflow.flatMap((routes) => routes(parts))),
      ...mountArtifactProxy([...proxyRoutes(parts), ...multipartRoutes(parts), ...presignedRoutes(parts)]),
      ...downloadRoutes(parts),
      ...sealRoutes(parts),
      ...comparisonRoutes(parts),
      ...serverRoutes,
      ...accessRoutes(deps.database),
    ]),
    consumers: [],
    jobs: [createCollectGarbage(deps), createSettleUploads(parts)],
    readiness: async () => {
      await deps.database.query('select 1 from experiment limit 1')
      return { ready: true, detail: {} }
    },
  }
}
