import type { KeyValue } from './batch.ts'

const kinds: Readonly<Record<string, string>> = {
  'requirements.txt': 'pip',
  'python_env.yaml': 'pip',
  'conda.yaml': 'conda',
  'conda.yml': 'conda',
  'environment.yaml': 'conda',
  'environment.yml': 'conda',
  MLmodel: 'mlflow-model',
  MLproject: 'mlflow-project',
  'pyproject.toml': 'python-project',
  'poetry.lock': 'lockfile',
  'uv.lock': 'lockfile',
  'Pipfile.lock': 'lockfile',
  'pip-freeze.txt': 'pip',
  'package-lock.json': 'lockfile',
  Dockerfile: 'container',
  'reproducibility.json': 'millrace',
}

/** Names of files that say what a run was made with. */
export const environmentFiles: readonly string[] = Object.keys(kinds)

/** What kind of environment the file describes; null for any other file. */
export function environmentKind(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return Object.hasOwn(kinds, name) ? (kinds[name] ?? null) : null
}

const SEED = /(?:^|[._\-/ ])(?:(?:random|global|data|np|numpy|torch|tf)?[._-]?seed|random[._-]?state)s?$/i

/** Params and tags that name a seed. */
export const seedsAmong = (pairs: readonly KeyValue[]): KeyValue[] => pairs.filter(({ key, value }) => SEED.test(key) && value !== '' && value !== 'None')

export interface Missing {
  readonly what: string
  readonly why: string
  readonly cure: string
}

/** What is known of a run, as far as repeating it goes. */
export interface KnownOrigin {
  readonly gitCommit: string | null
  readonly gitRepository: string | null
  readonly dirty: boolean | null
  readonly sourceName: string | null
  readonly params: number
  readonly seeds: number
  readonly datasets: number
  readonly environmentKinds: readonly string[]
  /** Whether Millrace's trainer made it and told how to repeat it; null for any other run. */
  readonly job: { readonly hasRequest: boolean; readonly hasDataDigest: boolean } | null
}

const codeMissing = ({ gitCommit, gitRepository, dirty, sourceName }: KnownOrigin): Missing[] => [
  ...(sourceName === null ? [{ what: 'entry point', why: 'no tag mlflow.source.name', cure: 'start the run with the MLflow client, or set the tag' }] : []),
  ...(gitCommit === null
    ? [{ what: 'code version', why: 'no tag mlflow.source.git.commit', cure: 'run the script from a git checkout with GitPython installed, or set the tag' }]
    : []),
  ...(gitRepository === null
    ? [{ what: 'repository', why: 'no tag mlflow.source.git.repoURL', cure: 'set the tag to where the commit can be fetched from' }]
    : []),
  ...(dirty === true ? [{ what: 'uncommitted changes', why: 'the code differed from the commit', cure: 'commit before you train' }] : []),
]

const DEPENDENCIES = ['pip', 'conda', 'lockfile', 'container', 'millrace']

/** Everything that is missing to repeat a run, with the way to have it next time. */
export function missingFor(known: KnownOrigin): Missing[] {
  const { job } = known
  return [
    ...codeMissing(known),
    ...(known.environmentKinds.some((kind) => DEPENDENCIES.includes(kind))
      ? []
      : [
          {
            what: 'environment',
            why: 'no requirements.txt, conda.yaml, lockfile or the like among its artifacts',
            cure: 'log_model writes them; or log_artifact("requirements.txt")',
          },
        ]),
    ...(known.datasets === 0 ? [{ what: 'data', why: 'no data set was logged', cure: 'mlflow.log_input(dataset, context="training")' }] : []),
    ...(known.params === 0 ? [{ what: 'parameters', why: 'no param was logged', cure: 'mlflow.log_params(...) or autologging' }] : []),
    ...(known.seeds === 0 ? [{ what: 'seed', why: 'no param or tag names a seed', cure: 'log the seed as a param, such as random_state' }] : []),
    ...(job && !job.hasRequest
      ? [
          {
            what: 'training job',
            why: 'the run does not hold the request of its job',
            cure: 'runs of this trainer from now on do; submit the job by its params',
          },
        ]
      : []),
    ...(job && !job.hasDataDigest
      ? [{ what: 'data digest', why: 'the run ended before the data was read', cure: 'repeat the job: a run that finishes holds the digest' }]
      : []),
  ]
}
