import { topics } from '@millrace/contracts/events/topics.ts'
import { createClient, type KafkaConnection } from '@millrace/platform/events/kafka/connection.ts'
import { ensureTopics } from '@millrace/platform/events/kafka/ensure-topics.ts'
import { withAdmin } from '@millrace/platform/events/kafka/offsets.ts'
import { defaultKafkaTiming } from '@millrace/platform/events/kafka/timing.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { until } from '@millrace/platform/testing/until.ts'

export const connectionTo = (brokers: string): KafkaConnection => ({ brokers: brokers.split(','), clientId: 'fault', tls: null, sasl: null })

/** Deletes what an earlier test file left, topics and groups, and creates the topics anew. */
export async function freshLog(brokers: string): Promise<void> {
  const connection = connectionTo(brokers)
  const ours = (name: string): boolean => name.startsWith('millrace.')
  await withAdmin(createClient(connection, silentLog, defaultKafkaTiming), async (admin) => {
    // A broker that has just started answers that it is loading.
    const { groups } = await until(() => admin.listGroups(), { everyMs: 50 })
    if (groups.length > 0) await admin.deleteGroups(groups.map(({ groupId }) => groupId)).catch(() => undefined)
    const old = (await admin.listTopics()).filter(ours)
    if (old.length > 0) await admin.deleteTopics({ topics: old })
    await until(async () => !(await admin.listTopics()).some(ours), { everyMs: 50 })
  })
  await until(async () => {
    await ensureTopics(connection, topics, { replication: 1, log: silentLog })
    return true
  })
}
