import type { RunFinished } from '@millrace/contracts/events/run-events.ts'

/** An event must stay well below the 1 MiB of a record: each part has its share in bytes, and the run itself keeps the rest. */
const SHARE_BYTES = { tags: 250_000, params: 200_000, metrics: 150_000, datasets: 150_000, outputs: 50_000 } as const
/** Tags that other services decide by come first. */
const FIRST = /^(millrace|mlflow)\./

/** The event with as many tags, params, metrics, data sets and outputs as fit; a run is never kept from finishing by what it logged. */
export function fitFinished(event: RunFinished): RunFinished {
  return {
    ...event,
    tags: fitRecord(event.tags, SHARE_BYTES.tags),
    params: fitRecord(event.params, SHARE_BYTES.params),
    metrics: fitRecord(event.metrics, SHARE_BYTES.metrics),
    datasets: fitList(event.datasets, SHARE_BYTES.datasets),
    outputs: fitList(event.outputs, SHARE_BYTES.outputs),
  }
}

/** An upper bound of the bytes of a JSON text: UTF-8 takes at most three per UTF-16 unit. */
const boundBytes = (value: unknown): number => {
  const text = JSON.stringify(value)
  return /^[\x20-\x7e]*$/.test(text) ? text.length : text.length * 3
}

export function fitRecord<Value extends string | number>(record: Readonly<Record<string, Value>>, shareBytes: number): Record<string, Value> {
  const entries = Object.entries(record).sort(([left], [right]) => Number(FIRST.test(right)) - Number(FIRST.test(left)))
  return Object.fromEntries(fitList(entries, shareBytes))
}

function fitList<Item>(items: readonly Item[], shareBytes: number): Item[] {
  let left = shareBytes
  return items.filter((item) => {
    const bytes = boundBytes(item) + 1
    if (bytes > left) return false
    left -= bytes
    return true
  })
}
