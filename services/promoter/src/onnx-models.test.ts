import type { PromotionDecision } from '@millrace/contracts/http/promoter.ts'
import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import { modelFixture, networkFixture } from '@millrace/platform/testing/model-folder.ts'
import { expect, test } from 'vitest'
import { enter, type Promoter, setPolicy } from './testing/enter-version.ts'
import { answered, runningPromoter } from './testing/running-promoter.ts'

const gate = (decision: Pick<PromotionDecision, 'gates'>, name: string) => decision.gates.find((each) => each.gate === name)

/** The first version is in Production already. */
async function withChampion(files: Readonly<Record<string, Uint8Array>>, evaluation: Evaluation | null = null): Promise<Promoter> {
  const promoter = await runningPromoter()
  await promoter.register('1', { files, tags: {}, evaluation })
  promoter.registry.moveTo('1')
  return promoter
}

test('a model that MLflow logged as ONNX is judged by its own example; what cannot be compared is skipped, and said to be', async () => {
  const promoter = await withChampion(modelFixture('xgboost'))
  await enter(promoter, '2', { files: modelFixture('sklearn-table'), tags: {} })
  const decision = await promoter.decided('2', 'promoting')
  expect(gate(decision, 'champion')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('not compared with version 1') })
  expect(gate(decision, 'parity')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('answers its own input example') })
  expect(gate(decision, 'latency')).toMatchObject({ outcome: 'skipped', measured: expect.any(Number) })
})

test('answers that were stored with both are compared, without anybody running the models', async () => {
  const promoter = await withChampion(modelFixture('xgboost'), answered(['a', 'a', 'b', 'a']))
  await setPolicy(promoter, { champion: { metric: 'accuracy', epsilon: 0 } })
  await enter(promoter, '2', { files: modelFixture('sklearn-table'), tags: {}, evaluation: answered(['a', 'b', 'b', 'a']) })
  const decision = await promoter.decided('2', 'rejected')
  expect(gate(decision, 'champion')).toMatchObject({ outcome: 'fail', measured: -0.25 })
  expect(promoter.trainer.calls).toEqual([])
})

const described = `${String(modelFixture('sklearn-columns')['MLmodel'])}saved_input_example_info:\n  artifact_path: input_example.json\n`
const table = (rows: unknown[][]) => ({
  ...modelFixture('sklearn-columns'),
  MLmodel: Buffer.from(described),
  'input_example.json': Buffer.from(JSON.stringify({ columns: ['age', 'city', 'income'], data: rows })),
})

test('examples of strings and integers are run like any other', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', {
    files: table([
      [20, 'Oslo', 1.5],
      [30, 'Rome', 2],
    ]),
    tags: {},
  })
  expect(gate(await promoter.decided('1', 'promoting'), 'parity')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('with 6 values') })
})

test('a model that does not answer its own example is rejected', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', { files: table([[20, 'Atlantis', 1.5]]), tags: {} })
  expect(gate(await promoter.decided('1', 'rejected'), 'parity')).toMatchObject({ outcome: 'fail', message: expect.stringContaining('OneHotEncoder') })
})

test('a lone network without an example passes on what is known of it', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', { files: { 'model.onnx': networkFixture('all-types') }, tags: {} })
  const decision = await promoter.decided('1', 'promoting')
  expect(gate(decision, 'parity')).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('no input example') })
})
