import type { KeyValue } from '../domain/batch.ts'

/** A `json_agg(json_build_array(key, value))`, null where there was nothing to aggregate. */
export const pairs = (rows: readonly (readonly [string, string])[] | null): KeyValue[] => (rows ?? []).map(([key, value]) => ({ key, value }))
