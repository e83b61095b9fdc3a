import { type GuardedMillrace, type Send, type Told, textIn } from './guarded.fixture.ts'

const MLFLOW = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'] as const
const ARTIFACTS = ['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts'] as const

/** What no artifact path may hold, as it is written in a URL. Every one would leave the root, or mean something else, in a store that keeps names as they come. */
export const hiddenPaths = [
  '..',
  '../x',
  'a/../../x',
  '%2e%2e/x',
  '%252e%252e/x',
  '%25252e%25252e/x',
  '..%2f..%2fx',
  '..%252f..%252fx',
  '..%5cx',
  'a/..%5c..%5cx',
  '%2e%2e%255cx',
  'x%23y',
  'x%2523y',
  'file:/etc/passwd',
  '%66ile:%2f%2f%2fetc%2fpasswd',
  'http:%2f%2f127.0.0.1%2fx',
  'x%00',
  'x%2500.txt',
  'x%0d%0ay',
  '%2fetc%2fpasswd',
  '%252fetc/passwd',
  'C:%5cWindows%5cx',
  'c:/x',
  '%63%3a/x',
  '%5c%5cserver%5cshare',
] as const

/** Something to steal or to spoil: a run and a logged model with a file each. */
export interface Prey {
  readonly experimentId: string
  readonly runId: string
  readonly modelId: string
  /** Of the run, in the store. */
  readonly root: string
}

export async function makePrey(send: Send, name: string): Promise<Prey> {
  const experimentId = textIn(await send('POST', `${MLFLOW[0]}/experiments/create`, { body: { name } }), 'experiment_id')
  const runId = textIn(await send('POST', `${MLFLOW[0]}/runs/create`, { body: { experiment_id: experimentId } }), 'run', 'info', 'run_id')
  const logged = await send('POST', `${MLFLOW[0]}/logged-models`, { body: { experiment_id: experimentId, name: 'prey', source_run_id: runId } })
  const modelId = textIn(logged, 'model', 'info', 'model_id')
  const root = `${experimentId}/${runId}/artifacts`
  for (const path of [`${root}/kept.txt`, `${experimentId}/models/${modelId}/artifacts/kept.txt`]) {
    const put = await send('PUT', `${ARTIFACTS[0]}/artifacts/${path}`, { raw: 'kept' })
    if (put.status !== 200) throw new Error(put.text)
  }
  return { experimentId, runId, modelId, root }
}

type Way = readonly [name: string, go: (send: Send, path: string) => Promise<Told>]
const decoded = (path: string): string => decodeURIComponent(path)

/** Ways that name a file by its path in the store. */
const storeWays = (): Way[] =>
  ARTIFACTS.flatMap((base): Way[] => [
    [`GET ${base}/artifacts/`, (send, path) => send('GET', `${base}/artifacts/${path}`)],
    [`PUT ${base}/artifacts/`, (send, path) => send('PUT', `${base}/artifacts/${path}`, { raw: 'x' })],
    [`DELETE ${base}/artifacts/`, (send, path) => send('DELETE', `${base}/artifacts/${path}`)],
    [`GET ${base}/artifacts?path`, (send, path) => send('GET', `${base}/artifacts?path=${path}`)],
    [`GET ${base}/presigned/`, (send, path) => send('GET', `${base}/presigned/${path}`)],
    [`POST ${base}/mpu/create/`, (send, path) => send('POST', `${base}/mpu/create/${path}`, { body: { path: 'x', num_parts: 1 } })],
    [`POST ${base}/mpu/complete/`, (send, path) => send('POST', `${base}/mpu/complete/${path}`, { body: { path: 'x', upload_id: 'u', parts: [] } })],
    [`POST ${base}/mpu/abort/`, (send, path) => send('POST', `${base}/mpu/abort/${path}`, { body: { path: 'x', upload_id: 'u' } })],
  ])

/** Ways that name it below the root of a run, a logged model or a version. */
const belowWays = ({ runId, modelId }: Prey): Way[] => [
  ['GET /get-artifact', (send, path) => send('GET', `/get-artifact?run_id=${runId}&path=${path}`)],
  ['GET /get-artifact (run_uuid)', (send, path) => send('GET', `/get-artifact?run_uuid=${runId}&path=${path}`)],
  ['GET /model-versions/get-artifact', (send, path) => send('GET', `/model-versions/get-artifact?name=prey&version=1&path=${path}`)],
  ...MLFLOW.flatMap((base): Way[] => [
    [`GET ${base}/artifacts/list`, (send, path) => send('GET', `${base}/artifacts/list?run_id=${runId}&path=${path}`)],
    [`POST ${base}/artifacts/presigned-upload-url`, presign(`${base}/artifacts/presigned-upload-url`, { run_id: runId })],
    [`POST ${base}/artifacts/presigned-upload-url (model)`, presign(`${base}/artifacts/presigned-upload-url`, { model_id: modelId })],
    [`POST ${base}/artifacts/presigned-download-url`, presign(`${base}/artifacts/presigned-download-url`, { run_id: runId })],
    [`GET ${base}/logged-models/…/files`, (send, path) => send('GET', `${base}/logged-models/${modelId}/artifacts/files?artifact_file_path=${path}`)],
    [
      `GET ${base}/logged-models/…/directories`,
      (send, path) => send('GET', `${base}/logged-models/${modelId}/artifacts/directories?artifact_directory_path=${path}`),
    ],
  ]),
  ['POST upload-artifact', (send, path) => send('POST', `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${runId}&path=${path}`, { raw: 'x' })],
]

const presign =
  (route: string, of: object): Way[1] =>
  (send, path) =>
    send('POST', route, { body: { ...of, path: decoded(path) } })

/** Every way in and out of the artifacts, by every alias. */
export const waysTo = (prey: Prey): Way[] => [...storeWays(), ...belowWays(prey)]

/** What would tell a stranger how the server is built. */
export function leaksIn({ text }: Told, { directory }: Pick<GuardedMillrace, 'directory'>): string[] {
  const telling = [directory.root, 'node_modules', '.ts:', 'select ', 'insert into', 'syntax error', 'relation "', 'PGlite', 'ENOENT', '$1', 'sha256/']
  return telling.filter((sign) => text.includes(sign))
}
