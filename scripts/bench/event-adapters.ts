import { topics } from '@millrace/contracts/events/topics.ts'
import type { Lifetime } from '@millrace/platform/component.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { createKafkaLog } from '@millrace/platform/events/kafka/kafka-log.ts'
import { connectionFrom, kafkaSettings } from '@millrace/platform/events/kafka/settings.ts'
import { createLog } from '@millrace/platform/log.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { openPostgres } from '@millrace/platform/sql/postgres.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { z } from 'zod'

const PREFIX = 'bench.'
const settings = z.object({ ...kafkaSettings, DATABASE_URL: z.string() })

/** As many partitions as the topic whose events are measured has. */
export const benchTopics = { [`${PREFIX}millrace.run-events.v1`]: topics['millrace.run-events.v1'] }

export const connectionOf = (env: NodeJS.ProcessEnv) => connectionFrom(settings.parse(env), 'millrace-bench')

/** The adapters that a service has, with a database schema and topics of the benchmark's own: the services that run are not to hear of it. */
export async function openEventAdapters(schema: string, lifetime: Lifetime) {
  const { DATABASE_URL: url } = settings.parse(process.env)
  const log = createLog({ level: process.env['LOG_LEVEL'] ?? 'fatal' })
  const metrics = createMetrics(schema)
  const onFatal = (error: Error): void => queueMicrotask(() => Promise.reject(error))
  const eventLog = onOwnTopics(await lifetime.start(createKafkaLog({ connection: connectionOf(process.env), log, metrics, onFatal })))
  const database: Database = await lifetime.start(openPostgres({ url, schema, maxConnections: 8, log, metrics }))
  await migrateService(database, null)
  return { url, schema, log, metrics, eventLog, database }
}

const onOwnTopics = (eventLog: EventLog): EventLog => ({
  ...eventLog,
  publish: (topic, records) => eventLog.publish(`${PREFIX}${topic}`, records),
  subscribe: (options) => eventLog.subscribe({ ...options, topics: options.topics.map((topic) => `${PREFIX}${topic}`) }),
})
