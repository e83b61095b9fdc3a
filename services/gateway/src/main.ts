import { readConfig } from '@millrace/platform/config.ts'
import { requireHttps } from '@millrace/platform/distributed/open-tls.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { cacheSettings, databaseSettings, processSettings, serviceUrls } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createGateway, gatewayConfig, migrations } from './service.ts'

const addresses = {
  TRACKING_URLS: serviceUrls,
  REGISTRY_URLS: serviceUrls,
  TRAINER_URLS: serviceUrls,
  PROMOTER_URLS: serviceUrls,
  DRIFT_MONITOR_URLS: serviceUrls,
  INFERENCE_URLS: serviceUrls,
}
const settings = z.object({ ...gatewayConfig.shape, ...processSettings, ...databaseSettings, ...cacheSettings, ...addresses })

runService({
  name: 'gateway',
  isPublic: true,
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const rateLimiters = await adapters.openRateLimiters(config)
    const upstreams = {
      tracking: () => config.TRACKING_URLS,
      registry: () => config.REGISTRY_URLS,
      trainer: () => config.TRAINER_URLS,
      promoter: () => config.PROMOTER_URLS,
      'drift-monitor': () => config.DRIFT_MONITOR_URLS,
      inference: () => config.INFERENCE_URLS,
    }
    requireHttps(
      adapters.tls,
      Object.values(upstreams).flatMap((list) => list()),
    )
    return { service: createGateway({ ...adapters.base, ...storage, rateLimiters, upstreams, tls: adapters.tls, config }), storage }
  },
})
