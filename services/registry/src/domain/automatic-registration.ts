import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { MAX_KEY, MAX_TAG_VALUE, problemOfModelName } from './names.ts'
import { isArtifactPath } from './source.ts'

/** A run with this tag registers its model under the tag's value when it ends FINISHED. */
export const REGISTER_TAG = 'millrace.register'
/** Where the model lies among the run's artifacts; `model` where the tag is missing. */
export const REGISTER_PATH_TAG = 'millrace.register.path'
const DEFAULT_PATH = 'model'

export interface AutomaticVersion {
  readonly model: string
  readonly source: string
  readonly storageLocation: string
  readonly tags: Readonly<Record<string, string>>
  readonly description: string
}

/** What a finished run asks for: a version, nothing, or something that cannot be. */
export type Registration = { kind: 'version'; version: AutomaticVersion } | { kind: 'none'; reason: string } | { kind: 'invalid'; reason: string }

export function registrationOf(run: RunFinished): Registration {
  const model = run.tags[REGISTER_TAG]
  if (model === undefined) return { kind: 'none', reason: 'not-tagged' }
  if (run.status !== 'FINISHED') return { kind: 'none', reason: 'not-finished' }
  const problem = problemOfModelName(model, REGISTER_TAG)
  if (problem) return { kind: 'invalid', reason: problem }
  const path = run.tags[REGISTER_PATH_TAG] ?? DEFAULT_PATH
  if (!isArtifactPath(path)) {
    return { kind: 'invalid', reason: `${REGISTER_PATH_TAG} must be a relative path among the run's artifacts such as 'model', got '${path}'` }
  }
  const location = `${run.artifactUri.replace(/\/+$/, '')}/${path}`
  const version = { model, source: `runs:/${run.runId}/${path}`, storageLocation: location, tags: tagsOf(run), description: descriptionOf(run) }
  return { kind: 'version', version }
}

/** Facts that are kept as a tag under their own name, wherever the run has them: metrics, then tags, then parameters. */
const FACTS = ['framework', 'architecture', 'backbone', 'classes', 'samples', 'train_samples', 'training_time_s', 'model_size_bytes', 'latency_ms']
const QUALITY = /(^|_)(accuracy|loss|f1|auc|precision|recall|rmse|mae|r2)(_|$)/i

function tagsOf(run: RunFinished): Record<string, string> {
  const quality = Object.entries(run.metrics).filter(([key]) => QUALITY.test(key))
  const facts = FACTS.flatMap((name) => {
    const value = run.metrics[name] ?? run.tags[name] ?? run.params[name]
    return value === undefined ? [] : [[name, String(value)] as const]
  })
  const own = Object.entries(run.tags).filter(([key]) => key.startsWith('millrace.') && key !== REGISTER_TAG && key !== REGISTER_PATH_TAG)
  const dataset = mainDataset(run)
  const all = [
    ...quality.map(([key, value]) => [key, String(value)] as const),
    ...facts,
    ...own,
    ...(dataset ? [['dataset', dataset.name] as const, ['dataset_digest', dataset.digest] as const] : []),
    ...(run.endTime ? [['training_date', run.endTime] as const] : []),
    ['auto_registered', 'true'] as const,
  ]
  return Object.fromEntries(all.filter(([key, value]) => key.length <= MAX_KEY && value.length <= MAX_TAG_VALUE))
}

const mainDataset = (run: RunFinished): RunFinished['datasets'][number] | undefined =>
  run.datasets.find((dataset) => dataset.context === 'training' || dataset.context === 'train') ?? run.datasets[0]

function descriptionOf(run: RunFinished): string {
  const accuracy = ['test_accuracy', 'val_accuracy', 'accuracy'].find((name) => run.metrics[name] !== undefined)
  const quality = accuracy ? `, ${accuracy} ${Number((run.metrics[accuracy] ?? 0).toFixed(4))}` : ''
  const dataset = mainDataset(run)
  return `Registered by run ${run.runName || run.runId}${quality}${dataset ? `, trained on ${dataset.name}` : ''}.`
}
