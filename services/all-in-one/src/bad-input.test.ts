import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditTrail, modelOverview } from '@millrace/contracts/http/registry.ts'
import { type TrainingJob, trainingJobs, trainingLogs } from '@millrace/contracts/http/trainer.ts'
import type { Started } from '@millrace/platform/component.ts'
import { createLog } from '@millrace/platform/log.ts'
import { drawFish } from '@millrace/sample-fish/draw-fish.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type DataDirectory, prepareDataDirectory } from './data-directory.ts'
import { samplePromotionPolicy } from './sample/policies.ts'
import { type RunningMillrace, startMillrace } from './start-millrace.ts'
import { type Ask, ask, askRaw, fileForm } from './testing/ask.ts'
import { hugePng, svg } from './testing/bad-pictures.ts'
import { writeTinyDataset } from './testing/tiny-dataset.ts'
import { trainAndServe } from './user/model-life.ts'
import { createStory } from './user/story.ts'
import { createUserClient, type UserClient } from './user/user-client.ts'

const MODEL = 'fish'
const MLFLOW = '/api/2.0/mlflow'
const POLICY = { ...samplePromotionPolicy, metrics: {} }
const PIXELS = 3 * 80 * 128

let directory: DataDirectory
let millrace: Started<RunningMillrace>
let url: string
let client: UserClient
let picture: Uint8Array<ArrayBuffer>
let job: TrainingJob

beforeAll(async () => {
  directory = await prepareDataDirectory(await mkdtemp(join(tmpdir(), 'millrace-bad-input-')))
  const dataset = join(directory.datasets, 'fish')
  await writeTinyDataset(dataset)
  picture = new Uint8Array(await drawFish({ species: 'tinca_tinca', seed: 4, light: 'daylight' }))
  await writeFile(join(dataset, 'train/tinca_tinca/text.jpg'), 'no picture')
  await writeFile(join(dataset, 'val/tinca_tinca/cut.jpg'), picture.subarray(0, 900))
  await writeFile(join(dataset, 'test/tinca_tinca/drawing.svg'), svg)
  const log = createLog({ level: 'info', destination: directory.log })
  millrace = await startMillrace({ directory, host: '127.0.0.1', port: 0, env: {}, log })
  url = millrace.value.url
  client = createUserClient(url)
  await client.send('PUT', `/api/v1/promotions/policies/${MODEL}`, POLICY, z.looseObject({}))
  const story = createStory(() => undefined)
  job = (await trainAndServe(client, story, { model: MODEL, dataset: 'fish', register: true, parameters: { epochs: 2 } })).job
})

afterAll(async () => {
  await millrace.stop()
  await rm(directory.root, { recursive: true, force: true })
})

afterEach(async () => {
  expect(await client.predict(picture, MODEL), 'the next request is served').toMatchObject({ model_name: MODEL, model_version: '1' })
})

const post = (body: string): Ask => ({ method: 'POST', body })
const infer = (input: Record<string, unknown>): Ask => post(JSON.stringify({ inputs: [{ name: 'image', shape: [1, 3, 80, 128], datatype: 'FP32', ...input }] }))
const form = (content: Uint8Array, field?: string): Ask => ({ method: 'POST', body: fileForm(content, field) })
const boundary = { 'content-type': 'multipart/form-data; boundary=b' }

describe('predictions', () => {
  const filled = (value: unknown) => Array(PIXELS).fill(value)
  const model = `/v2/models/${MODEL}/infer`
  test.each<[what: string, path: string, init: () => Ask, status: number, says: RegExp]>([
    ['not an image', '/predict', () => form(Buffer.from('hello, no image')), 400, /not an image: send a jpeg, png/],
    ['a truncated image', '/predict', () => form(picture.subarray(0, 900)), 400, /damaged or cut off/],
    ['an SVG', '/predict', () => form(svg), 415, /SVG pictures are not accepted: send a jpeg/],
    ['20 MB', '/predict', () => form(Buffer.alloc(20_000_000, 1)), 413, /larger than the \d+ bytes allowed/],
    ['a PNG of 20,000 x 20,000', '/predict', () => form(hugePng(20_000)), 413, /20000 x 20000 pixels; at most \d+/],
    ['a wrong field name', '/predict', () => form(picture, 'image'), 400, /no file field 'file' \(it has 'image'\)/],
    ['an empty body', '/predict', () => ({ method: 'POST', headers: boundary }), 400, /body is empty: send multipart/],
    ['an empty file', '/predict', () => form(Buffer.alloc(0)), 400, /is empty \(0 bytes\)/],
    ['a wrong content type', '/predict', () => ({ ...post('{}'), headers: { 'content-type': 'text/plain' } }), 415, /text\/plain.*multipart\/form-data/],
    ['JSON without features', '/predict', () => post('{}'), 400, /no features: send/],
    ['an unknown model', '/predict?model=shark', () => form(picture), 404, /no model 'shark' in service: in service are 'fish'/],
    ['a version not in service', `/predict?model=${MODEL}&version=9`, () => form(picture), 404, /no version '9' in service: 1/],
    ['a wrong method', '/predict', () => ({}), 405, /use POST/],
    ['tensors of an unknown model', '/v2/models/shark/infer', () => infer({ data: [] }), 404, /no model 'shark'/],
    ['a wrong shape', model, () => infer({ shape: [1, 2], data: [1, 2] }), 400, /shape is \[1, 2\], which does not fit/],
    ['too few numbers', model, () => infer({ data: [1, 2] }), 400, /has 2 elements, its shape .* asks for 30720/],
    ['a type that does not convert', model, () => infer({ datatype: 'BYTES', data: filled('x') }), 400, /BYTES, which does not convert to FP32/],
    ['an unknown type', model, () => infer({ datatype: 'FP7', data: filled(0) }), 400, /unknown datatype; expected one of BOOL/],
    [
      'NaN as JSON does not know it',
      model,
      () => post('{"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[NaN]}]}'),
      400,
      /not valid JSON: unexpected ..N/,
    ],
    ['NaN as a text', model, () => infer({ data: filled('NaN') }), 400, /element 0 is not a finite number/],
    ['a number beyond the type', model, () => infer({ data: filled(1e39) }), 400, /finite number within the range of FP32/],
    ['a body that is no JSON', model, () => post('{"inputs":['), 400, /not valid JSON: unexpected end/],
  ])('%s', async (_what, path, init, status, says) => {
    const answer = await ask(url, path, init())
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(says)])
    expect(answer.type).toContain('json')
  })
})

describe('everything else behind the gateway', () => {
  const transition = (change: Record<string, unknown>) => post(JSON.stringify({ name: MODEL, version: '1', stage: 'Staging', ...change }))
  const policy = (metrics: Record<string, unknown>): Ask => ({ method: 'PUT', body: JSON.stringify({ ...POLICY, metrics }) })
  test.each<[what: string, path: string, init: Ask, status: number, says: RegExp]>([
    ['an unknown route', '/somewhere/else', {}, 404, /nothing at GET \/somewhere\/else/],
    ['an unknown API route', '/api/v1/models/fish/nothing', {}, 404, /nothing at GET/],
    ['an unknown MLflow route', `${MLFLOW}/nothing`, {}, 404, /ENDPOINT_NOT_FOUND.*nothing at GET/],
    ['malformed JSON for tracking', `${MLFLOW}/experiments/create`, post('{"name":'), 400, /not valid JSON: unexpected end/],
    ['malformed JSON for the trainer', '/api/v1/training/jobs', post('{"model":'), 400, /not valid JSON/],
    ['a list instead of an object', `${MLFLOW}/experiments/create`, post('[1]'), 400, /expected a JSON object.*'list'/],
    [
      'a wrong content type',
      `${MLFLOW}/experiments/create`,
      { ...post('{}'), headers: { 'content-type': 'text/plain' } },
      400,
      /Content-Type must be one of \['application\/json'\]/,
    ],
    ['an unknown stage', `${MLFLOW}/model-versions/transition-stage`, transition({ stage: 'Live' }), 400, /Live.*None, Staging, Production, Archived/],
    ['a missing version', `${MLFLOW}/model-versions/transition-stage`, transition({ version: '9' }), 404, /name=fish, version=9.* not found/],
    ['no version at all', `${MLFLOW}/model-versions/transition-stage`, transition({ version: undefined }), 400, /required parameter 'version'/],
    ['a filter for runs', `${MLFLOW}/runs/search`, post('{"experiment_ids":["1"],"filter":"metrics.a >>> 1"}'), 400, /'>>>' not one of '='/],
    ['a filter for models', `${MLFLOW}/registered-models/search?filter=name%20LIKEE%20%27x%27`, {}, 400, /Invalid clause.*LIKEE/],
    ['a filter for versions', `${MLFLOW}/model-versions/search?filter=name%3Dx`, {}, 400, /not quoted/],
    ['a policy on a metric that no run has', `/api/v1/promotions/policies/${MODEL}`, policy({ acuracy: { min: 0.5 } }), 400, /acuracy.*it has .*test_accuracy/],
    ['a policy on a metric that cannot be', `/api/v1/promotions/policies/${MODEL}`, policy({ 'a?': { min: 1 } }), 400, /no run can have a metric of this name/],
  ])('%s', async (_what, path, init, status, says) => {
    const answer = await ask(url, path, init)
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(says)])
    expect(answer.type).toContain('json')
  })

  test.each(['..', '%2e%2e', '%252e%252e', '%25252e%25252e', '..%2f..', '..%5c..'])('an artifact path with %s, on every way in and out', async (hidden) => {
    const runRoot = `/api/2.0/mlflow-artifacts/artifacts/1/${job.runId}/artifacts`
    const answers = [
      await askRaw(url, `${runRoot}/${hidden}/x`),
      await askRaw(url, `${runRoot}/${hidden}/x`, 'PUT', 'x'),
      await askRaw(url, `${runRoot}/${hidden}/x`, 'DELETE'),
      await askRaw(url, `/get-artifact?run_id=${job.runId}&path=${hidden}/x`),
      await askRaw(url, `${MLFLOW}/artifacts/list?run_id=${job.runId}&path=${hidden}/x`),
      await askRaw(url, `/model-versions/get-artifact?name=${MODEL}&version=1&path=${hidden}/x`),
    ]
    for (const { status, text } of answers) expect([status, text]).toEqual([400, expect.stringMatching(/Invalid path: expected .*relative/)])
  })
})

describe('trainings', () => {
  test('are refused on a folder that is missing, empty, of one class or elsewhere, and leave no job', async () => {
    await mkdir(join(directory.datasets, 'empty'))
    await writeTinyDataset(join(directory.datasets, 'single'), ['esox_lucius'])
    const refused: [dataset: string, says: RegExp][] = [
      ['missing', /nothing at .*missing.* under .*train\/<class>/],
      ['empty', /no 'train', 'val', 'test' folder: expected/],
      ['single', /one class only \('esox_lucius'\); a classifier needs at least two/],
      ['../..', /may not contain '\.\.'/],
      ['/etc', /outside the folders that training may read/],
    ]
    for (const [dataset, says] of refused) {
      const answer = await ask(url, '/api/v1/training/jobs', post(JSON.stringify({ model: 'other', dataset })))
      expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(says)])
    }
    expect((await client.get('/api/v1/training/jobs', trainingJobs)).jobs).toHaveLength(1)
  })

  test('skip what cannot be read, count it in the run and name it in the log', async () => {
    const { lines } = await client.get(`/api/v1/training/jobs/${job.jobId}/logs`, trainingLogs)
    const warnings = lines.map(({ line }) => line).filter((line) => line.startsWith('warning'))
    expect(warnings.map((line) => line.split(': ')[1])).toEqual(['test/tinca_tinca/drawing.svg', 'train/tinca_tinca/text.jpg', 'val/tinca_tinca/cut.jpg'])
    const { text } = await ask(url, `${MLFLOW}/runs/get?run_id=${job.runId}`)
    expect(text).toContain(String.raw`\"unreadable\":3`)
  })
})

test('after all of that nothing is lost, and nothing that was logged asks for a person', async () => {
  const overview = await client.get(`/api/v1/models/${MODEL}`, modelOverview)
  expect(overview).toMatchObject({ generation: 1, production: { version: '1' }, versions: [{ version: '1', stage: 'Production' }] })
  const { entries } = await client.get(`/api/v1/models/${MODEL}/audit`, auditTrail)
  expect(entries.filter(({ to }) => to === 'Production')).toHaveLength(1)
  const lines = (await readFile(directory.log, 'utf8')).split('\n')
  expect(lines.filter((line) => line.includes('"level":50'))).toEqual([])
})
