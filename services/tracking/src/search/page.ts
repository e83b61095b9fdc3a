import { encodePageToken } from '@millrace/platform/search/keyset.ts'
import { invalid } from '../refusals.ts'
import type { Found } from '../store/experiments.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Null on the last page, an exactly full one too. */
  readonly nextPageToken: string | null
}

/** `found` holds one row more than `limit` where there is another page. */
export function pageOf<Item>(found: readonly Found<Item>[], limit: number, bound?: Readonly<Record<string, string>>): Page<Item> {
  const last = found[limit - 1]
  return { items: found.slice(0, limit).map(({ item }) => item), nextPageToken: found.length > limit && last ? encodePageToken(last.sortKey, bound) : null }
}

/** @throws AppError INVALID_PARAMETER_VALUE in MLflow's words */
export function checkMaxResults(value: number, most: number): void {
  if (value >= 1 && value <= most) return
  const expected = value < 1 ? 'It must be a positive integer' : `It must be at most ${most}`
  throw invalid(`Invalid value ${value} for parameter 'max_results' supplied. ${expected}`)
}

export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL'

/** The condition on the lifecycle column. */
export const stageCondition = (column: string, view: ViewType): string =>
  ({ ACTIVE_ONLY: `${column} = 'active'`, DELETED_ONLY: `${column} = 'deleted'`, ALL: 'true' })[view]
