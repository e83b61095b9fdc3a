import { servingActivated } from '@millrace/contracts/events/serving-events.ts'
import { deadLetterTopicOf, topicNames } from '@millrace/contracts/events/topics.ts'
import { decodeRecord } from '@millrace/platform/events/cloudevents.ts'
import type { DeliveredRecord } from '@millrace/platform/events/event-log.ts'
import { until } from '@millrace/platform/testing/until.ts'
import {
  type Activation,
  type Decision,
  type Evidence,
  type KnownVersion,
  noEvidence,
  type OutboxRow,
  type Served,
  type TopicRecord,
} from '../check/evidence.ts'
import { at } from './model-life.ts'
import type { Platform } from './platform.ts'

const SCHEMAS = ['tracking', 'registry', 'promoter', 'trainer', 'drift_monitor', 'gateway'] as const

/** What a test adds to what the platform itself knows. */
export type Added = Partial<Pick<Evidence, 'productionCounts' | 'memory' | 'poison'>> & { readonly versions?: readonly Omit<KnownVersion, 'digest'>[] }

/** Waits until every outbox is empty, then gathers what clients, databases, topics and pods know. */
export async function collectEvidence(platform: Platform, { versions = [], ...added }: Added = {}): Promise<Evidence> {
  const schemas = await schemasOf(platform)
  const { outbox, topics } = await until(() => eventsAtRest(platform, schemas), { timeoutMs: 60_000 })
  const letters = await Promise.all(topicNames.map((topic) => platform.eventLog.readToEnd(deadLetterTopicOf(topic))))
  return {
    ...noEvidence,
    ...{ client: platform.client.history, stored: await storedOf(platform, schemas), outbox, topics, activations: activationsOf(topics) },
    ...(schemas.includes('registry') ? await registryOf(platform) : {}),
    ...(schemas.includes('promoter') ? { decisions: await decisionsOf(platform) } : {}),
    served: await servedOf(platform),
    versions: versions.map((version) => ({ ...version, digest: '' })),
    deadLetters: letters.flat().map(nameOf),
    ...added,
  }
}

/** What was committed and what is on the log; null while more is being committed, since either would then be behind the other. */
async function eventsAtRest(platform: Platform, schemas: readonly string[]): Promise<Pick<Evidence, 'outbox' | 'topics'> | null> {
  const pending = await Promise.all(schemas.map((schema) => pendingOf(platform, schema)))
  if (pending.some((count) => count > 0)) return null
  const read = async (): Promise<OutboxRow[]> => (await Promise.all(schemas.map((schema) => outboxOf(platform, schema)))).flat()
  const outbox = await read()
  const topics = (await Promise.all(topicNames.map((topic) => dump(platform, topic)))).flat()
  return (await read()).length === outbox.length ? { outbox, topics } : null
}

/** The event's id where it has one, else the record's key. */
export const nameOf = ({ headers, key }: Pick<DeliveredRecord, 'headers' | 'key'>): string => headers['ce_id'] ?? key ?? ''

async function schemasOf({ database }: Platform): Promise<string[]> {
  const rows = await database.query<{ name: string }>(`select table_schema as name from information_schema.tables where table_name = 'outbox'`)
  return rows.map(({ name }) => name).filter((name) => SCHEMAS.some((schema) => schema === name))
}

async function pendingOf({ database }: Platform, schema: string): Promise<number> {
  const [row] = await database.query<{ pending: number }>(`select count(*) as pending from ${schema}.outbox where published_at is null`)
  return row?.pending ?? 0
}

const outboxOf = async ({ database }: Platform, schema: string): Promise<OutboxRow[]> => {
  const rows = await database.query<Omit<OutboxRow, 'service'>>(
    `select seq, id::text as id, type, topic, aggregateid as key, payload from ${schema}.outbox order by seq`,
  )
  return rows.map((row) => ({ ...row, service: schema.replaceAll('_', '-') }))
}

async function dump({ eventLog }: Platform, topic: string): Promise<TopicRecord[]> {
  return (await eventLog.readToEnd(topic)).map((record) => {
    const decoded = decodeRecord(record)
    const place = { topic, partition: record.partition, offset: record.offset, key: record.key }
    if (decoded.kind !== 'event') return { ...place, id: null, source: '', type: '', sequence: null, timeMs: 0, data: {} }
    const { id, source, type, time, extensions, data } = decoded.event
    const sequence = 'sequence' in extensions ? Number(extensions['sequence']) : null
    return { ...place, id, source, type, sequence, timeMs: time.getTime(), data: typeof data === 'object' && data !== null ? { ...data } : {} }
  })
}

/** What pods told, each event once: a test may have put it on the log again. */
function activationsOf(topics: readonly TopicRecord[]): Activation[] {
  const events = new Map(topics.flatMap((record): [string, TopicRecord][] => (record.type === servingActivated.type ? [[record.id ?? '', record]] : [])))
  const told = [...events.values()].map(({ data, timeMs }) => ({ ...servingActivated.data.parse(data), atMs: timeMs }))
  return told.filter(({ arm }) => arm === 'production')
}

/** The effects that databases hold, under the keys by which clients name them. */
async function storedOf({ database }: Platform, schemas: readonly string[]): Promise<ReadonlySet<string>> {
  const queries = {
    tracking: `select 'run/' || run_id as key from tracking.run union all select 'finish/' || run_id from tracking.run where status = 'FINISHED'
      union all select 'param/' || run_id || '/' || key from tracking.run_param union all select 'artifact/' || path from tracking.artifact`,
    registry: `select 'version/' || m.name || '/' || v.version as key from registry.model_version v join registry.registered_model m on m.id = v.model_id
      union all select distinct 'promotion/' || model || '/' || version from registry.audit_entry where to_value = 'Production'`,
  }
  const rows = await Promise.all(
    Object.entries(queries).map(([schema, query]) => (schemas.includes(schema) ? database.query<{ key: string }>(query) : Promise.resolve([]))),
  )
  return new Set(rows.flat().map(({ key }) => key))
}

async function registryOf({ database }: Platform): Promise<Pick<Evidence, 'registry' | 'promotions' | 'productionCounts'>> {
  const registry = await database.query<{ model: string; generation: number; version: string | null }>(
    `select model, generation, state -> 'production' ->> 'version' as version from registry.serving where generation > 0`,
  )
  const promotions = await database.query<{ decisionId: string; model: string; version: string }>(
    `select details ->> 'decisionId' as "decisionId", model, version::text as version from registry.audit_entry where to_value = 'Production' and details ? 'decisionId'`,
  )
  return { registry, promotions, productionCounts: await countProduction(database) }
}

/** How many versions of each model stand in Production at this moment. */
export const countProduction = (database: Platform['database']): Promise<{ model: string; count: number }[]> =>
  database.query(`select model_id::text as model, count(*) as count from registry.model_version where stage = 'Production' and deleted_at is null group by 1`)

const decisionsOf = ({ database }: Platform): Promise<Decision[]> =>
  database.query(`select decision_id as "decisionId", model, version::text as version, policy_version as "policyVersion" from promoter.decision`)

async function servedOf({ client, processes }: Platform): Promise<Served[]> {
  const pods = processes.filter(({ service, pid }) => service === 'inference' && pid !== null)
  const answers = await Promise.all(
    pods.map(async (pod) => ({ pod, answer: await client.send('inference', 'GET', '/api/v1/serving/models', { url: pod.url }) })),
  )
  return answers.flatMap(({ pod, answer }) => {
    const models: unknown[] = Array.isArray(answer.body['models']) ? answer.body['models'] : []
    const ready = models.filter((entry) => at(entry, 'arm') === 'production' && at(entry, 'state') === 'ready')
    return ready.map((entry) => ({
      pod: pod.name,
      model: String(at(entry, 'model')),
      version: String(at(entry, 'version')),
      generation: Number(at(entry, 'generation')),
    }))
  })
}
