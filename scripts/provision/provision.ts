import { topics } from '@millrace/contracts/events/topics.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { ensureBucket } from '@millrace/platform/distributed/ensure-bucket.ts'
import { bucketOptions } from '@millrace/platform/distributed/open-blobs.ts'
import { blobsSettings, databaseSettings } from '@millrace/platform/distributed/settings.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { ensureTopics } from '@millrace/platform/events/kafka/ensure-topics.ts'
import { connectionFrom, kafkaSettings } from '@millrace/platform/events/kafka/settings.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { openPostgres } from '@millrace/platform/sql/postgres.ts'
import { z } from 'zod'
import { migrationsOf } from './migrations.ts'

const settings = z.object({
  ...kafkaSettings,
  /** Copies of each topic; 3 where there are three brokers. */
  KAFKA_REPLICATION: z.coerce.number().int().min(1).max(10).default(1),
  DATABASE_URL: databaseSettings.DATABASE_URL,
  ...blobsSettings,
})
type Settings = z.infer<typeof settings>

type Say = (line: string) => void

async function provisionTopics(config: Settings, say: Say): Promise<void> {
  const connection = connectionFrom(config, 'millrace-provision')
  const { created, different } = await ensureTopics(connection, topics, { replication: config.KAFKA_REPLICATION, log: silentLog })
  say(`topics: ${created.length} created`)
  for (const { topic, setting, expected, actual } of different) say(`  ${topic}: ${setting} is ${actual}, expected ${expected}; left as it is`)
}

async function provisionDatabase(config: Settings, say: Say): Promise<void> {
  for (const [schema, migrations] of Object.entries(migrationsOf)) {
    const { value, stop } = await openPostgres({ url: config.DATABASE_URL, schema, maxConnections: 2 })
    await migrateService(value, migrations).finally(stop)
  }
  say(`database: ${Object.keys(migrationsOf).length} schemas are up to date`)
}

async function provisionBucket(config: Settings, say: Say): Promise<void> {
  const made = await ensureBucket(bucketOptions(config, silentLog))
  say(`bucket: ${config.S3_BUCKET} ${made ? 'created' : 'is there'}`)
}

const steps = { topics: provisionTopics, database: provisionDatabase, bucket: provisionBucket }
const isStep = (name: string): name is keyof typeof steps => name in steps

/** What an administrator does before the services start: topics, tables and bucket, or those of them that are named. Safe to repeat. */
async function provision(names: readonly string[], say: Say): Promise<void> {
  const unknown = names.find((name) => !isStep(name))
  if (unknown) throw new Error(`there is nothing called ${unknown} to provision: expected ${Object.keys(steps).join(', ')}`)
  const config = readConfig(settings, process.env)
  const chosen = names.length === 0 ? Object.values(steps) : names.filter(isStep).map((name) => steps[name])
  await Promise.all(chosen.map((step) => step(config, say)))
}

provision(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`)).catch((error: unknown) => {
  process.stderr.write(`provision: ${messageOf(error)}\n`)
  process.exitCode = 1
})
