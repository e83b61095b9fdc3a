import { readConfig } from '@millrace/platform/config.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, databaseSettings, processSettings, serviceUrls } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createTrainer, migrations, trainerConfig } from './service.ts'

const settings = z.object({ ...trainerConfig.shape, ...processSettings, ...databaseSettings, ...blobsSettings, TRACKING_URLS: serviceUrls })

runService({
  name: 'trainer',
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const blobs = await adapters.openBlobs(config)
    const tracking = await adapters.connect('tracking', config.TRACKING_URLS)
    return { service: createTrainer({ ...adapters.base, ...storage, blobs, tracking, config }), storage }
  },
})
