const MAX = { metrics: 1000, params: 100, tags: 100 } as const
const MAX_TOTAL = 1000

export interface KeyValue {
  readonly key: string
  readonly value: string
}

const refusal = (limit: number, count: number, what: string): string =>
  `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests and try again.`

/** Why a batch of these sizes is refused, in MLflow's words; null where it is fine. */
export function refuseBatchSize(sizes: { metrics: number; params: number; tags: number }): string | null {
  for (const what of ['metrics', 'params', 'tags'] as const) if (sizes[what] > MAX[what]) return refusal(MAX[what], sizes[what], what)
  const total = sizes.metrics + sizes.params + sizes.tags
  return total > MAX_TOTAL ? refusal(MAX_TOTAL, total, 'metrics, params, and tags') : null
}

/** Why params may not be logged together; null where each key comes once. Keys that repeat with one value are refused as well, as upstream. */
export function refuseDuplicateParams(params: readonly KeyValue[]): string | null {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { key } of params) {
    if (seen.has(key)) repeated.add(key)
    seen.add(key)
  }
  if (repeated.size === 0) return null
  const keys = [...repeated].map((key) => `'${key}'`).join(', ')
  return `Duplicate parameter keys have been submitted: [${keys}]. Please ensure the request contains only one param value per param key.`
}

export interface ParamChange {
  readonly key: string
  readonly oldValue: string
  readonly newValue: string
}

/** What contradicts the params that a run already has: they are written once. */
export function changedParams(logged: readonly KeyValue[], present: ReadonlyMap<string, string>): ParamChange[] {
  return logged.flatMap(({ key, value: newValue }) => {
    const oldValue = present.get(key)
    return oldValue === undefined || oldValue === newValue ? [] : [{ key, oldValue, newValue }]
  })
}

/** MLflow's words for one param and for a batch. */
export function describeParamChange(runId: string, changes: readonly ParamChange[], inBatch: boolean): string {
  const [first] = changes
  if (first && !inBatch) {
    return (
      `Changing param values is not allowed. Param with key='${first.key}' was already logged with value='${first.oldValue}' for run ID='${runId}'. ` +
      `Attempted logging new value '${first.newValue}'.`
    )
  }
  const shown = changes.map(({ key, oldValue, newValue }) => `{'key': '${key}', 'old_value': '${oldValue}', 'new_value': '${newValue}'}`)
  return `Changing param values is not allowed. Params were already logged='[${shown.join(', ')}]' for run ID='${runId}'.`
}

/** Tags of one batch: the last of a key wins, in the order of the keys. */
export function lastByKey(pairs: readonly KeyValue[]): KeyValue[] {
  const last = new Map(pairs.map((pair) => [pair.key, pair]))
  return [...last.values()].sort((left, right) => (left.key < right.key ? -1 : 1))
}
