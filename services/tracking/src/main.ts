import { readConfig } from '@millrace/platform/config.ts'
import { withExclusiveJobs } from '@millrace/platform/distributed/exclusive-jobs.ts'
import { openExternal } from '@millrace/platform/distributed/open-external.ts'
import { runService } from '@millrace/platform/distributed/run-service.ts'
import { blobsSettings, databaseSettings, processSettings } from '@millrace/platform/distributed/settings.ts'
import { z } from 'zod'
import { createTracking, migrations, trackingConfig } from './service.ts'

const settings = z.object({ ...trackingConfig.shape, ...processSettings, ...databaseSettings, ...blobsSettings })

runService({
  name: 'tracking',
  readSettings: (env) => readConfig(settings, env),
  async create(config, adapters) {
    const storage = await adapters.openDatabase(config, migrations)
    const blobs = await adapters.openBlobs(config)
    const external = openExternal(config, config.TRACKING_ARTIFACT_ROOTS, adapters.base.log)
    const service = createTracking({ ...adapters.base, ...storage, blobs, externalArtifacts: external.value, config })
    // Two collections at once could remove what was uploaded again in between.
    return { service: { ...withExclusiveJobs(service, ['collect-garbage'], storage.lease.isActive), stop: external.stop }, storage }
  },
})
