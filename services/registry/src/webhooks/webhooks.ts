import type { Route } from '@millrace/platform/http/route.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { RegistryDeps } from '../deps.ts'
import { createDeliver } from './deliver.ts'
import { createWebhookRoutes } from './http.ts'
import { deliveryJob, webhookUpkeepJob } from './jobs.ts'
import { createManageWebhooks } from './manage-webhooks.ts'
import { createSecretSeal } from './secret-seal.ts'
import { createTryWebhook } from './try-webhook.ts'

export interface Webhooks {
  readonly routes: readonly Route[]
  readonly jobs: readonly Job[]
  /** Waits for what is being sent, once the jobs are told to stop. */
  readonly stop: () => Promise<void>
}

/** MLflow's webhooks, delivered at least once from rows that are written with the change itself. */
export function createWebhooks(deps: RegistryDeps): Webhooks {
  const seal = createSecretSeal(deps.config.REGISTRY_WEBHOOK_KEY)
  const deliver = createDeliver(deps, seal)
  const manage = createManageWebhooks(deps, seal)
  return {
    routes: createWebhookRoutes({ database: deps.database, clock: deps.clock, manage, tryWebhook: createTryWebhook(deps, seal) }),
    jobs: [deliveryJob(deliver), webhookUpkeepJob(deps)],
    stop: () => deliver.drained(),
  }
}
