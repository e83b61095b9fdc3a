import { mayEverywhere, mayOn } from '@millrace/platform/access/rights.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { allModels } from './store.ts'

/** Names of the models that a caller may read; null where that is all of them. Named before the search, so that its pages are full. */
export async function visibleModels(sql: Sql, caller: Caller): Promise<readonly string[] | null> {
  if (mayEverywhere(caller, 'READ')) return null
  return (await allModels(sql)).filter((model) => mayOn(caller, 'READ', model)).map(({ name }) => name)
}

/** Those of `items` that are of a model that a caller may read. */
export async function visibleOf<Item>(sql: Sql, caller: Caller, items: readonly Item[], nameOf: (item: Item) => string): Promise<readonly Item[]> {
  const names = await visibleModels(sql, caller)
  if (names === null) return items
  const visible = new Set(names)
  return items.filter((item) => visible.has(nameOf(item)))
}
