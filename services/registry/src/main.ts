import { readConfig } from '@millrace/platform/config.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, databaseSettings, processSettings, serviceUrls } from '@millrace/platform/distributed/settings.ts'
import { createOutsideClient } from '@millrace/platform/http/undici-outside-client.ts'
import { z } from 'zod'
import { createRegistry, migrations, registryConfig } from './service.ts'

const settings = z.object({
  ...registryConfig.shape,
  ...processSettings,
  ...databaseSettings,
  ...blobsSettings,
  TRACKING_URLS: serviceUrls,
  PROMOTER_URLS: serviceUrls,
})

runService({
  name: 'registry',
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const blobs = await adapters.openBlobs(config)
    const tracking = await adapters.connect('tracking', config.TRACKING_URLS)
    const promoter = await adapters.connect('promoter', config.PROMOTER_URLS)
    return { service: createRegistry({ ...adapters.base, ...storage, blobs, tracking, promoter, outside: createOutsideClient(), config }), storage }
  },
})
