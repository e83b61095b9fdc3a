import type { Started } from '@millrace/platform/component.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { Job, Service } from '@millrace/platform/service.ts'
import { inferenceConfig } from './config.ts'
import type { InferenceDeps } from './deps.ts'
import { permissionOf } from './http/permissions.ts'
import { type Pod, startPod } from './pod.ts'

export { inferenceConfig }

const OBSERVE_EVERY_MS = 10_000

/**
 * Follows the serving state, loads by digest, swaps in place and answers predictions. Owns nothing durable: what it keeps on disk it can lose.
 */
export function createInference(deps: InferenceDeps): Service {
  let pod: Started<Pod> | null = null
  const running = (): Pod => {
    if (!pod) throw new TransientError('the pod has not started yet')
    return pod.value
  }
  const jobs: Job[] = [
    {
      name: 'reconcile-serving-state',
      everyMs: deps.config.INFERENCE_RECONCILE_MS,
      run: (signal) =>
        running()
          .reconcile(signal)
          .then(() => false),
    },
    { name: 'observe-arms', everyMs: OBSERVE_EVERY_MS, run: async () => running().publishCounts() },
  ]
  return {
    name: 'inference',
    routes: [],
    consumers: [],
    jobs,
    direct: (request, response) => running().direct(request, response),
    directRoutes: () => running().routes.map(({ method, path }) => ({ method, path, permission: permissionOf({ method, path }) })),
    readiness: async () => running().readiness(),
    async start() {
      pod = await startPod(deps)
    },
    async stop() {
      await pod?.stop()
      pod = null
    },
  }
}
