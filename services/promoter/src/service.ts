import { mapPermissions } from '@millrace/platform/access/map-permissions.ts'
import { onnxLimitsOf } from '@millrace/platform/model/onnx-limits.ts'
import type { Service } from '@millrace/platform/service.ts'
import { createLocators, permissions } from './access.ts'
import { promoterConfig } from './config.ts'
import type { PromoterDeps } from './deps.ts'
import { createEvaluateJob } from './evaluate-version.ts'
import { createHandlers } from './follow-events.ts'
import { createRoutes } from './http.ts'
import { createMeasureModel } from './measure-model.ts'
import { createPromoteJob } from './promote-version.ts'
import { createRollbackJob } from './roll-back-promotion.ts'

export { promoterConfig }

export const migrations = new URL('../migrations/', import.meta.url)

/** Decides which versions go to Production: runs the gates of the model's policy, keeps the evidence, asks the registry, watches the pods. */
export function createPromoter(deps: PromoterDeps): Service {
  const measure =
    deps.measure ?? createMeasureModel({ blobs: deps.blobs, timeoutMs: deps.config.PROMOTER_MEASURE_TIMEOUT_MS, onnxLimits: onnxLimitsOf(deps.config) })
  return {
    name: 'promoter',
    locators: createLocators(deps.database),
    routes: mapPermissions(permissions, [], createRoutes(deps)),
    consumers: [{ group: 'promoter', handlers: createHandlers(deps) }],
    jobs: [createEvaluateJob({ ...deps, measure }), createPromoteJob(deps), createRollbackJob(deps)],
    readiness: async () => ({ ready: true, detail: {} }),
  }
}
