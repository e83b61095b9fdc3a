import { hostname } from 'node:os'
import { readConfig } from '@millrace/platform/config.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, cacheSettings, processSettings, serviceUrls } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createInference, inferenceConfig } from './service.ts'

const settings = z.object({ ...inferenceConfig.shape, ...processSettings, ...blobsSettings, ...cacheSettings, REGISTRY_URLS: serviceUrls })

runService({
  name: 'inference',
  // A pod is named after its host, as Kubernetes names it, unless it is told otherwise.
  readSettings: (env) => readConfig(settings, { ...env, INFERENCE_POD: env['INFERENCE_POD'] || hostname() }),
  async create(config, adapters) {
    const blobs = await adapters.openBlobs(config)
    const cache = await adapters.openCache(config)
    const registry = await adapters.connect('registry', config.REGISTRY_URLS)
    // Other pods answer until this one has loaded what it has to serve.
    return { service: createInference({ ...adapters.base, blobs, cache, registry, config }), storage: null, openWhenReadyMs: 20_000 }
  },
})
