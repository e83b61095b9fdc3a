import type { Topic } from '@millrace/contracts/events/topics.ts'
import type { Database } from '../sql/sql.ts'

/** A late reader of a compacted topic still sees deletions for a day. */
const TOMBSTONE_MS = 86_400_000
const BATCH = 2000

/** Older records of a key that has a newer one; then deletions that everyone had the time to see. */
async function compact(database: Database, topic: string, now: Date): Promise<void> {
  await database.query(
    `delete from log_record r using (select key, max(seq) as seq from log_record where topic = $1 group by key) newest
      where r.topic = $1 and r.key = newest.key and r.seq < newest.seq`,
    [topic],
  )
  await database.query('delete from log_record where topic = $1 and value is null and at < $2', [topic, new Date(now.getTime() - TOMBSTONE_MS)])
}

async function dropBefore(database: Database, topic: string, before: Date): Promise<void> {
  const text = `delete from log_record where topic = $1 and seq = any(array(
    select seq from log_record where topic = $1 and at < $2 order by seq limit ${BATCH})) returning 1 as one`
  for (let deleted = BATCH; deleted === BATCH; ) deleted = (await database.query(text, [topic, before])).length
}

/** Applies each topic's clean-up policy once. */
export async function expireRecords(database: Database, topics: Readonly<Record<string, Topic>>, now: Date): Promise<void> {
  const present = await database.query<{ topic: string }>('select distinct topic from log_record')
  for (const { topic } of present) {
    const policy = topics[topic]
    if (policy?.cleanup === 'compact') await compact(database, topic, now)
    if (policy && policy.retentionMs !== null) await dropBefore(database, topic, new Date(now.getTime() - policy.retentionMs))
  }
}
