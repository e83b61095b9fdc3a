import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { servedModels } from '@millrace/contracts/http/inference.ts'
import { type PromotionDecision, promotionDecisions } from '@millrace/contracts/http/promoter.ts'
import { versionDetail } from '@millrace/contracts/http/registry.ts'
import { exampleTensor } from '@millrace/contracts/model/model-spec.ts'
import type { Started } from '@millrace/platform/component.ts'
import { createLog } from '@millrace/platform/log.ts'
import { expectedAnswers, type ModelFixture, modelFixture } from '@millrace/platform/testing/model-folder.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type DataDirectory, prepareDataDirectory } from './data-directory.ts'
import { type RunningMillrace, startMillrace } from './start-millrace.ts'
import { ask } from './testing/ask.ts'
import { createUserClient, type UserClient } from './user/user-client.ts'

const MLFLOW = '/api/2.0/mlflow'
const answers = z.looseObject({ inputs: z.array(exampleTensor), outputs: z.array(exampleTensor) })
const inferAnswer = z.looseObject({ model_version: z.string(), outputs: z.array(exampleTensor) })
const created = z.looseObject({ model_version: z.looseObject({ version: z.string() }) })

let directory: DataDirectory
let millrace: Started<RunningMillrace>
let client: UserClient

beforeAll(async () => {
  directory = await prepareDataDirectory(await mkdtemp(join(tmpdir(), 'millrace-onnx-')))
  const log = createLog({ level: 'info', destination: directory.log })
  millrace = await startMillrace({ directory, host: '127.0.0.1', port: 0, env: { MILLRACE_SKIP_SAMPLE: 'true' }, log })
  client = createUserClient(millrace.value.url)
})

afterAll(async () => {
  await millrace.stop()
  await rm(directory.root, { recursive: true, force: true })
})

/** Logs a model's files to a run of its own and registers them, as MLflow's client does. */
async function register(model: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const run = z.looseObject({ run: z.looseObject({ info: z.looseObject({ run_id: z.string() }) }) })
  const { run_id: runId } = (await client.send('POST', `${MLFLOW}/runs/create`, { experiment_id: '0', start_time: 1 }, run)).run.info
  for (const [path, content] of Object.entries(files)) {
    const body = typeof content === 'string' ? content : Buffer.from(content)
    const uploaded = await fetch(new URL(`/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/model/${path}`, client.url), { method: 'PUT', body })
    expect(uploaded.status).toBe(200)
  }
  await client.send('POST', `${MLFLOW}/runs/update`, { run_id: runId, status: 'FINISHED', end_time: 2 }, z.looseObject({}))
  await client.send('POST', `${MLFLOW}/registered-models/create`, { name: model }, z.looseObject({})).catch(() => undefined)
  const version = { name: model, source: `runs:/${runId}/model`, run_id: runId }
  return (await client.send('POST', `${MLFLOW}/model-versions/create`, version, created)).model_version.version
}

async function decision(model: string, version: string): Promise<PromotionDecision> {
  return client.waitFor('the gates', async () => {
    const { decisions } = await client.get(`/api/v1/promotions/decisions?model=${model}&version=${version}`, promotionDecisions)
    return decisions.find(({ state }) => ['promoted', 'rejected', 'failed'].includes(state)) ?? null
  })
}

const served = (model: string, version: string): Promise<true> =>
  client.waitFor('the pod', async () => {
    const { models } = await client.get('/api/v1/serving/models', servedModels)
    return models.some((entry) => entry.model === model && entry.version === version && entry.state === 'ready') ? true : null
  })

test.each<ModelFixture>(['sklearn-table', 'sklearn-zipmap', 'sklearn-columns', 'side-file', 'xgboost'])(
  '%s as MLflow logged it is registered, gated, promoted and answers as in Python',
  async (model) => {
    const version = await register(model, modelFixture(model))
    expect(await decision(model, version)).toMatchObject({ state: 'promoted' })
    await served(model, version)
    const expected = answers.parse(JSON.parse(expectedAnswers(model)))
    const found = await client.send('POST', `/v2/models/${model}/infer`, { inputs: expected.inputs }, inferAnswer)
    expect(found.model_version).toBe(version)
    for (const output of expected.outputs) {
      const tensor = found.outputs.find(({ name }) => name === output.name)
      expect(tensor).toMatchObject({ datatype: output.datatype, shape: output.shape })
      for (const [at, value] of output.data.entries()) {
        if (typeof value === 'number') expect(tensor?.data[at]).toBeCloseTo(value, 5)
        else expect(tensor?.data[at]).toBe(value)
      }
    }
  },
)

test('every element type goes through a lone ONNX file and back', async () => {
  const version = await register('all-types', modelFixture('all-types'))
  await served('all-types', version)
  const expected = answers.parse(JSON.parse(expectedAnswers('all-types')))
  const body = JSON.stringify({ inputs: expected.inputs })
  const { text } = await ask(client.url, '/v2/models/all-types/infer', { method: 'POST', body })
  // JavaScript's own JSON would round integers beyond 2^53.
  const found = inferAnswer.parse(JSON.parse(text.replace(/(?<![.\d])-?\d{17,}(?![.\d])/g, '"$&"')))
  for (const { name, data, datatype } of expected.outputs) {
    const tensor = found.outputs.find((output) => output.name === name)
    const close = datatype === 'FP32' || datatype === 'FP64'
    if (close) for (const [at, value] of data.entries()) expect(Number(tensor?.data[at]) / Number(value)).toBeCloseTo(1, 6)
    else expect(tensor?.data.map(String)).toEqual(data.map(String))
  }
})

test('what was skipped for want of evidence is said with the decision', async () => {
  for (const expected of ['1', '2']) {
    const version = await register('skipped', { ...modelFixture('xgboost'), 'note.txt': expected })
    expect(await decision('skipped', version)).toMatchObject({ version: expected, state: 'promoted' })
  }
  const { gates } = await decision('skipped', '2')
  const of = (name: string) => gates.find(({ gate }) => gate === name)
  expect(of('champion')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('not compared with version 1') })
  expect(of('signature')).toMatchObject({ outcome: 'pass' })
  expect(of('parity')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('answers its own input example') })
})

test('a pickle is tracked and registered, and refused for serving with the line that logs it as ONNX', async () => {
  const MLmodel = 'flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: model.pkl\n'
  const version = await register('pickle', { MLmodel, 'model.pkl': 'pickled' })
  const detail = await client.get(`/api/v1/models/pickle/versions/${version}`, versionDetail)
  expect(detail).toMatchObject({ status: 'READY', servable: false })
  const promotion = { name: 'pickle', version, stage: 'Production', archive_existing_versions: false }
  await expect(client.send('POST', `${MLFLOW}/model-versions/transition-stage`, promotion, z.looseObject({}))).rejects.toThrow(
    'mlflow.onnx.log_model(skl2onnx.to_onnx(',
  )
})
