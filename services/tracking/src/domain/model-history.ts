/** The tag in which older clients find the models of a run. */
export const MODEL_HISTORY_TAG = 'mlflow.log-model.history'

const REQUIRED = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'] as const
const KEPT = ['run_id', 'utc_time_created', 'artifact_path', 'model_uuid'] as const

export type ModelInfo = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads the description of a model that a client sends as text, and keeps of it what the history holds: where it lies, when it was made, and its flavors without their configuration. */
export function readModelInfo(text: string): { kind: 'info'; info: ModelInfo } | { kind: 'refused'; message: string } {
  const model = parse(text)
  if (!isRecord(model)) return { kind: 'refused', message: `Malformed model info. \n ${text.slice(0, 1000)} \n is not a valid JSON.` }
  const missing = REQUIRED.filter((field) => !(field in model))
  if (missing.length > 0) {
    return { kind: 'refused', message: `Model json is missing mandatory fields: {${missing.map((field) => `'${field}'`).join(', ')}}` }
  }
  const kept = KEPT.filter((field) => field in model).map((field) => [field, model[field]])
  return { kind: 'info', info: { ...Object.fromEntries(kept), flavors: withoutConfig(model['flavors']) } }
}

function withoutConfig(flavors: unknown): unknown {
  if (!isRecord(flavors)) return {}
  const entries = Object.entries(flavors).map(([name, flavor]) => {
    if (!isRecord(flavor)) return [name, flavor]
    return [name, Object.fromEntries(Object.entries(flavor).filter(([key]) => key !== 'config'))]
  })
  return Object.fromEntries(entries)
}

/** The history with one more model; a model that was told before, as a retried request does, is not told twice. What is no list begins anew. */
export function appendToHistory(history: string | null, info: ModelInfo): string {
  const present = history === null ? [] : parse(history)
  const list: unknown[] = Array.isArray(present) ? present : []
  const told = JSON.stringify(info)
  return JSON.stringify(list.some((entry) => JSON.stringify(entry) === told) ? list : [...list, info])
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
