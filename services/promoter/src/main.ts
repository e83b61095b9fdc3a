import { readConfig } from '@millrace/platform/config.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, databaseSettings, processSettings, serviceUrls } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createPromoter, migrations, promoterConfig } from './service.ts'

const settings = z.object({
  ...promoterConfig.shape,
  ...processSettings,
  ...databaseSettings,
  ...blobsSettings,
  REGISTRY_URLS: serviceUrls,
  TRACKING_URLS: serviceUrls,
  TRAINER_URLS: serviceUrls,
})

runService({
  name: 'promoter',
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const blobs = await adapters.openBlobs(config)
    const registry = await adapters.connect('registry', config.REGISTRY_URLS)
    const tracking = await adapters.connect('tracking', config.TRACKING_URLS)
    const trainer = await adapters.connect('trainer', config.TRAINER_URLS)
    return { service: createPromoter({ ...adapters.base, ...storage, blobs, registry, tracking, trainer, config }), storage }
  },
})
