import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { openFreshSchema } from '@millrace/platform/sql/postgres.fixture.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { concurrencyContract } from './concurrency.contract.ts'
import { migrations } from './service.ts'
import { startTracking } from './testing/start-tracking.ts'

describeWith('postgres', () => {
  concurrencyContract(async () => {
    const { database, close } = await openFreshSchema({ maxConnections: 20 })
    await migrateService(database, migrations)
    const { value, stop } = await startTracking({}, undefined, undefined, undefined, { database })
    return {
      value,
      async stop() {
        await stop()
        await close()
      },
    }
  })
})
