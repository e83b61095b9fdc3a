import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runningTrainer, smallDataset, temporaryFolder, writeFiles } from './testing/running-trainer.ts'

type Trainer = Awaited<ReturnType<typeof runningTrainer>>

const submit = (trainer: Trainer, request: Record<string, unknown>, key?: string) =>
  trainer.call('/jobs', { method: 'POST', body: { model: 'fish', dataset: trainer.dataset, ...request }, ...(key ? { key } : {}) })

async function expectRefused(trainer: Trainer, request: Record<string, unknown>, message: RegExp): Promise<void> {
  const answer = await submit(trainer, request)
  expect(answer.status).toBe(400)
  expect(`${answer.body['detail']} ${JSON.stringify(answer.body['errors'])}`).toMatch(message)
  expect(await trainer.jobs()).toEqual([])
}

test('data that cannot be trained on are refused with what is wrong, before there is a job', async () => {
  const trainer = await runningTrainer()
  const { root, dataset } = trainer
  const outside = await temporaryFolder()
  await writeFiles(outside, smallDataset)
  await mkdir(join(root, 'empty'))
  await mkdir(join(root, 'hollow/train/a'), { recursive: true })
  await mkdir(join(root, 'hollow/val'))
  await mkdir(join(root, 'hollow/test'))
  await writeFiles(join(root, 'single'), ['train/a/1.jpg', 'val/a/1.jpg', 'test/a/1.jpg'])
  await writeFiles(root, ['file.txt'])
  await symlink(outside, join(root, 'link'))
  await symlink(join(outside, 'train'), join(root, 'single', 'extra'))
  const cases: [string, RegExp][] = [
    [join(root, 'missing'), /There is nothing at .*train\/<class>/],
    ['missing', /There is nothing at "missing" under/],
    [join(root, 'empty'), /no 'train', 'val', 'test' folder/],
    [join(root, 'hollow'), /'train' folder of .* holds no files/],
    [join(root, 'file.txt'), /is not a folder/],
    [outside, /outside the folders that training may read/],
    ['/etc', /outside the folders/],
    [`${dataset}/../../../etc`, /may not contain '\.\.'/],
    ['../fish', /may not contain '\.\.'/],
    ['fish\0', /NUL/],
    [join(root, 'link'), /symbolic link/],
    [join(root, 'link', 'train'), /symbolic link/],
    [join(root, 'single'), /holds the symbolic link 'extra'/],
  ]
  for (const [asked, message] of cases) await expectRefused(trainer, { dataset: asked }, message)
  await rm(join(root, 'single', 'extra'))
  await expectRefused(trainer, { dataset: join(root, 'single') }, /one class only/)
})

test('a folder beside a root is not under it, however its name begins', async () => {
  const trainer = await runningTrainer()
  await writeFiles(`${trainer.root}-private`, smallDataset)
  await expectRefused(trainer, { dataset: `${trainer.root}-private` }, /outside the folders/)
})

test('a path relative to a root is found', async () => {
  const trainer = await runningTrainer()
  expect((await submit(trainer, { dataset: 'fish' })).status).toBe(201)
})

test('a backbone is found by its name in a folder of its own', async () => {
  const backbones = await temporaryFolder()
  await writeFiles(backbones, ['mine.onnx'])
  const trainer = await runningTrainer({ config: { TRAINER_BACKBONE_ROOTS: [backbones] } })
  expect((await submit(trainer, { parameters: { backbone: 'mine.onnx' } })).status).toBe(201)
})

test.each([
  ['an unknown parameter', { parameters: { momentum: 0.9 } }, /momentum/],
  ['an unknown field', { gpu: true }, /gpu/],
  ['a seed that is no number', { parameters: { seed: 'one' } }, /seed/],
  ['no epochs', { parameters: { epochs: 0 } }, /epochs/],
  ['a learning rate out of range', { parameters: { learningRate: 5 } }, /learningRate/],
  ['a backbone outside the roots', { parameters: { backbone: '/etc/passwd' } }, /outside the folders/],
  ['a backbone that is not there', { parameters: { backbone: 'missing.onnx' } }, /nothing at "missing.onnx" under .*put the ONNX file/],
  ['a backbone that climbs out', { parameters: { backbone: '../x.onnx' } }, /may not contain/],
  ['a model name with a slash', { model: 'a/b' }, /model/],
  ['a timeout of nothing', { timeoutMs: 0 }, /timeoutMs/],
  ['too many attempts', { maxAttempts: 11 }, /maxAttempts/],
  ['no data set', { dataset: '' }, /dataset/],
])('%s is refused', async (_, request, message) => {
  await expectRefused(await runningTrainer(), request, message)
})

test('data that were removed after the job was taken fail the job and nothing else', async () => {
  const trainer = await runningTrainer()
  trainer.engine.hold = true
  const first = await trainer.submit()
  const second = await trainer.submit()
  await rm(join(trainer.dataset, 'train', 'b'), { recursive: true })
  trainer.engine.hold = false
  const job = await trainer.reached(second.jobId, 'failed')
  expect(job).toMatchObject({ attempt: 1, runId: null, message: expect.stringContaining('one class only') })
  expect((await trainer.job(first.jobId)).state).not.toBe('queued')
  await writeFiles(trainer.dataset, ['train/b/1.jpg'])
  await trainer.reached((await trainer.submit()).jobId, 'succeeded')
})

test.each([
  ['GET', '/jobs/nothing', 404],
  ['POST', '/jobs/nothing/cancel', 404],
  ['GET', '/jobs/nothing/logs', 404],
  ['GET', '/jobs?state=odd', 400],
  ['GET', '/jobs?limit=0', 400],
  ['GET', '/jobs?order=up', 400],
  ['GET', '/evaluations/nothing', 404],
  ['POST', '/evaluations', 400],
  ['POST', '/jobs', 400],
  ['GET', '/nothing', 404],
])('%s %s is refused', async (method, path, status) => {
  const trainer = await runningTrainer()
  const answer = await trainer.call(path, { method, ...(method === 'POST' && !path.endsWith('cancel') ? { body: {} } : {}) })
  expect(answer.status).toBe(status)
  expect(answer.body['detail']).toBeTypeOf('string')
})

test('a log is not followed from a place that does not exist', async () => {
  const trainer = await runningTrainer()
  const { jobId } = await trainer.submit()
  expect((await trainer.call(`/jobs/${jobId}/logs?after=-1`)).status).toBe(400)
  expect((await trainer.call(`/jobs/${jobId}/logs?after=x`)).status).toBe(400)
})

test('an idempotency key must be a text of sensible length', async () => {
  const trainer = await runningTrainer()
  expect(await submit(trainer, {}, 'k'.repeat(201))).toMatchObject({ status: 400, body: { detail: expect.stringContaining('1 to 200 characters') } })
})

test('who may only read cannot ask for a training', async () => {
  const trainer = await runningTrainer()
  const body = { model: 'fish', dataset: trainer.dataset }
  expect((await trainer.call('/jobs', { method: 'POST', body, role: 'viewer' })).status).toBe(403)
})

test.each([
  ['a folder outside the roots', { dataset: '/etc' }, /outside the folders/],
  ['an unknown field', { onRain: true }, /onRain/],
  ['an unknown answer to drift', { onDrift: 'sometimes' }, /onDrift/],
  ['a negative cooldown', { cooldownMs: -1 }, /cooldownMs/],
  ['a parameter out of range', { parameters: { learningRate: 9 } }, /learningRate/],
])('a retraining policy with %s is refused', async (_, changes, message) => {
  const trainer = await runningTrainer()
  const policy = { dataset: trainer.dataset, parameters: {}, onDrift: 'warning', onPerformance: true, waitForNewData: true, cooldownMs: 0 }
  const answer = await trainer.call('/policies/fish', { method: 'PUT', body: { ...policy, ...changes } })
  expect(answer.status).toBe(400)
  expect(`${answer.body['detail']} ${JSON.stringify(answer.body['errors'])}`).toMatch(message)
})
