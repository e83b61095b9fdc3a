import { readConfig } from '@millrace/platform/config.ts'
import { withExclusiveJobs } from '@millrace/platform/distributed/exclusive-jobs.ts'
import { openDirect } from '@millrace/platform/distributed/open-direct.ts'
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
    const direct = openDirect(config, config.TRACKING_S3_PUBLIC_ENDPOINT, adapters.base.log)
    const outside = { externalArtifacts: external.value, ...(direct ? { directUploads: direct.value } : {}) }
    const service = createTracking({ ...adapters.base, ...storage, blobs, ...outside, config })
    const stop = async (): Promise<void> => {
      await external.stop()
      await direct?.stop()
    }
    // Two collections at once could remove what was uploaded again in between.
    return { service: { ...withExclusiveJobs(service, ['collect-garbage', 'settle-uploads'], storage.lease.isActive), stop }, storage }
  },
})
