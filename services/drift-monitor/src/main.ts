import { readConfig } from '@millrace/platform/config.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, databaseSettings, processSettings } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createDriftMonitor, driftMonitorConfig, migrations } from './service.ts'

const settings = z.object({ ...driftMonitorConfig.shape, ...processSettings, ...databaseSettings, ...blobsSettings })

runService({
  name: 'drift-monitor',
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const blobs = await adapters.openBlobs(config)
    return { service: createDriftMonitor({ ...adapters.base, ...storage, blobs, config }), storage }
  },
})
