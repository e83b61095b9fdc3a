import { readConfig } from '@millrace/platform/config.ts'
import { requireHttps } from '@millrace/platform/distributed/open-tls.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { cacheSettings, databaseSettings, processSettings } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { findPods } from './discovery/find-pods.ts'
import { createResolveNames } from './discovery/resolve-names.ts'
import type { PodAddress } from './domain/pod-address.ts'
import { createGateway, gatewayConfig, migrations } from './service.ts'
import { podUrls } from './settings/pod-urls.ts'

const addresses = {
  TRACKING_URLS: podUrls,
  REGISTRY_URLS: podUrls,
  TRAINER_URLS: podUrls,
  PROMOTER_URLS: podUrls,
  DRIFT_MONITOR_URLS: podUrls,
  INFERENCE_URLS: podUrls,
}
const settings = z.object({ ...gatewayConfig.shape, ...processSettings, ...databaseSettings, ...cacheSettings, ...addresses })
const resolve = createResolveNames()

const schemeOf = (address: PodAddress): string => (address.kind === 'static' ? address.url : `${address.scheme}://${address.name}`)

runService({
  name: 'gateway',
  isPublic: true,
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const rateLimiters = await adapters.openRateLimiters(config)
    const lists = [config.TRACKING_URLS, config.REGISTRY_URLS, config.TRAINER_URLS, config.PROMOTER_URLS, config.DRIFT_MONITOR_URLS, config.INFERENCE_URLS]
    requireHttps(adapters.tls, lists.flat().map(schemeOf))
    const log = adapters.base.log.child({ part: 'discovery' })
    const find = (list: readonly PodAddress[]) => findPods({ addresses: list, resolve, maxAgeMs: config.GATEWAY_DNS_MAX_AGE_MS, log })
    const [tracking, registry, trainer, promoter, driftMonitor, inference] = await Promise.all([
      find(config.TRACKING_URLS),
      find(config.REGISTRY_URLS),
      find(config.TRAINER_URLS),
      find(config.PROMOTER_URLS),
      find(config.DRIFT_MONITOR_URLS),
      find(config.INFERENCE_URLS),
    ])
    const upstreams = {
      tracking: tracking.value.list,
      registry: registry.value.list,
      trainer: trainer.value.list,
      promoter: promoter.value.list,
      'drift-monitor': driftMonitor.value.list,
      inference: inference.value.list,
    }
    const finders = [tracking, registry, trainer, promoter, driftMonitor, inference]
    const serverNameOf = (origin: string): string | undefined => finders.map(({ value }) => value.serverNameOf(origin)).find((name) => name !== undefined)
    const service = createGateway({ ...adapters.base, ...storage, rateLimiters, upstreams, serverNameOf, tls: adapters.tls, config })
    async function stop(): Promise<void> {
      await service.stop?.()
      await Promise.all(finders.map((finder) => finder.stop()))
    }
    return { service: { ...service, stop }, storage }
  },
})
