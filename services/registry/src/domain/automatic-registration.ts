import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { MAX_KEY, MAX_TAG_VALUE, problemOfModelName } from './names.ts'
import { matchesPolicy, modelNameFor, type RegistrationPolicy } from './registration-policy.ts'
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
  readonly loggedModelId: string | null
  /** Null where the run's own tag asked for it. */
  readonly policy: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly description: string
}

/** What a finished run asks for: a version, nothing, or something that cannot be. */
export type Registration = { kind: 'version'; version: AutomaticVersion } | { kind: 'none'; reason: string } | { kind: 'invalid'; reason: string }

/** By the run's own tag. */
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
  return { kind: 'version', version: describeRun(run, model, filesBelow(run, path), null) }
}

/** By a policy that is in force. */
export function registrationByPolicy(run: RunFinished, policy: RegistrationPolicy): Registration {
  if (run.status !== 'FINISHED') return { kind: 'none', reason: 'not-finished' }
  if (!matchesPolicy(run, policy)) return { kind: 'none', reason: 'not-matched' }
  const model = modelNameFor(policy.model, run)
  if (model === null) return { kind: 'invalid', reason: `policy '${policy.name}' names models '${policy.model}', and the run lacks what that asks for` }
  const problem = problemOfModelName(model, 'model')
  if (problem) return { kind: 'invalid', reason: `policy '${policy.name}': ${problem}` }
  const files = policy.artifactPath === null ? (lastLogged(run) ?? filesBelow(run, DEFAULT_PATH)) : filesBelow(run, policy.artifactPath)
  return { kind: 'version', version: describeRun(run, model, files, policy.name) }
}

type Files = Pick<AutomaticVersion, 'source' | 'storageLocation' | 'loggedModelId'>

const rootOf = (run: RunFinished): string => run.artifactUri.replace(/\/+$/, '')

const filesBelow = (run: RunFinished, path: string): Files => ({
  source: `runs:/${run.runId}/${path}`,
  storageLocation: `${rootOf(run)}/${path}`,
  loggedModelId: null,
})

/** What newer clients log lies beside the run: `<experiment's root>/models/<id>/artifacts`. */
function lastLogged(run: RunFinished): Files | null {
  const [first, ...rest] = run.outputs
  if (!first) return null
  const { modelId } = rest.reduce((last, output) => (output.step >= last.step ? output : last), first)
  const suffix = `/${run.runId}/artifacts`
  const root = rootOf(run)
  const storageLocation = root.endsWith(suffix) ? `${root.slice(0, -suffix.length)}/models/${modelId}/artifacts` : `models:/${modelId}`
  return { source: `models:/${modelId}`, storageLocation, loggedModelId: modelId }
}

const describeRun = (run: RunFinished, model: string, files: Files, policy: string | null): AutomaticVersion => ({
  model,
  ...files,
  policy,
  tags: { ...tagsOf(run), ...(policy === null ? {} : { registration_policy: policy }) },
  description: descriptionOf(run, policy),
})

/** Facts that are kept as a tag under their own name, wherever the run has them: metrics, then tags, then parameters. */
const FACTS = ['framework', 'architecture', 'backbone', 'classes', 'samples', 'train_samples', 'training_time_s', 'model_size_bytes', 'latency_ms']
const QUALITY = /(^|_)(accuracy|loss|f1|auc|precision|recall|rmse|mae|r2)(_|$)/i

function tagsOf(run: RunFinished): Record<string, string> {
  const quality = Object.entries(run.metrics).filter(([key]) => QUALITY.test(key))
  const facts = FACTS.flatMap((name) => {
    const value = run.metrics[name] ?? run.tags[name] ?? run.params[name] ?? autologged(run, name)
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

/** What MLflow's clients say in other words. */
function autologged(run: RunFinished, fact: string): string | undefined {
  if (fact === 'samples') return mainDataset(run)?.rows?.toString()
  if (fact === 'framework') return run.tags['estimator_class']?.split('.')[0] ?? run.tags['mlflow.autologging']
  return fact === 'architecture' ? run.tags['estimator_name'] : undefined
}

const mainDataset = (run: RunFinished): RunFinished['datasets'][number] | undefined =>
  run.datasets.find((dataset) => dataset.context === 'training' || dataset.context === 'train') ?? run.datasets[0]

function descriptionOf(run: RunFinished, policy: string | null): string {
  const accuracy = ['test_accuracy', 'val_accuracy', 'accuracy'].find((name) => run.metrics[name] !== undefined)
  const quality = accuracy ? `, ${accuracy} ${Number((run.metrics[accuracy] ?? 0).toFixed(4))}` : ''
  const dataset = mainDataset(run)
  return `Registered by run ${run.runName || run.runId}${policy === null ? '' : ` under policy ${policy}`}${quality}${dataset ? `, trained on ${dataset.name}` : ''}.`
}
