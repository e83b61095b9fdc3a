/** What a path and query tell of the resource that a request is about, before its body is read. */
export type Told = { kind: 'model'; name: string } | { kind: 'experiment'; id: string }

const MODEL_IN_PATH =
  /^\/(?:v2\/models|v2\/repository\/models|v1\/models|models|api\/v1\/serving\/models|api\/v1\/models|api\/v1\/training\/policies|api\/v1\/promotions\/(?:policies|models)|api\/v1\/drift\/(?:policies|models))\/([^/]+)/
const NAMED_MODEL = /^\/(?:api\/\d\.\d\/mlflow\/(?:registered-models|model-versions)|model-versions)\//
const EXPERIMENT = /^\/api\/\d\.\d\/mlflow\/experiments\//
const EXPERIMENT_IN_PATH = /^\/api\/v1\/experiments\/([^/]+)/

/** Null where only the service can tell. `path` is canonical; TensorFlow's and Triton's verbs after a colon are no part of a name. */
export function toldResource(path: string, query: string): Told | null {
  const model = MODEL_IN_PATH.exec(path)?.[1]
  if (model !== undefined) return { kind: 'model', name: decode(path.startsWith('/v1/') ? model.replace(/:[a-z]+$/, '') : model) }
  const experiment = EXPERIMENT_IN_PATH.exec(path)?.[1]
  if (experiment !== undefined) return { kind: 'experiment', id: decode(experiment) }
  if (query === '') return null
  const fields = new URLSearchParams(query)
  const name = NAMED_MODEL.test(path) ? fields.get('name') : path === '/predict' ? fields.get('model') : null
  if (name) return { kind: 'model', name }
  const id = EXPERIMENT.test(path) ? fields.get('experiment_id') : null
  return id ? { kind: 'experiment', id } : null
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
