/** A value per run, in the order of the runs; null where a run lacks the key. */
export interface ComparedRow<Value> {
  readonly key: string
  readonly values: readonly (Value | null)[]
  /** Whether two runs differ; a run without the key differs from one that has it. */
  readonly differs: boolean
}

/** What runs have side by side, by key. */
export function compareValues<Value extends string | number>(runs: readonly ReadonlyMap<string, Value>[]): ComparedRow<Value>[] {
  const keys = [...new Set(runs.flatMap((run) => [...run.keys()]))].sort((left, right) => (left < right ? -1 : 1))
  return keys.map((key) => {
    const values = runs.map((run) => run.get(key) ?? null)
    return { key, values, differs: new Set(values).size > 1 }
  })
}

/** Keys that the run at `index` lacks and another one has. */
export const missingKeys = (rows: readonly ComparedRow<unknown>[], index: number): string[] =>
  rows.filter((row) => row.values[index] === null).map((row) => row.key)
