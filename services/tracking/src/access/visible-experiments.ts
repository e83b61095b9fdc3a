import { mayEverywhere, mayOn } from '@millrace/platform/access/rights.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { allExperiments, experimentsById } from './store.ts'

/** Ids of the experiments that a caller may read; null where that is all of them. Named before the search, so that its pages are full. */
export async function visibleExperiments(sql: Sql, caller: Caller): Promise<readonly number[] | null> {
  if (mayEverywhere(caller, 'READ')) return null
  return (await allExperiments(sql)).filter((experiment) => mayOn(caller, 'READ', experiment)).map(({ id }) => Number(id))
}

/** Those of `ids` that a caller may read. */
export async function readableOf(sql: Sql, caller: Caller, ids: readonly number[]): Promise<readonly number[]> {
  if (ids.length === 0 || mayEverywhere(caller, 'READ')) return ids
  const readable = new Set((await experimentsById(sql, ids)).filter((experiment) => mayOn(caller, 'READ', experiment)).map(({ id }) => Number(id)))
  return ids.filter((id) => readable.has(id))
}
