import { expect, test } from 'vitest'
import { requestTraining } from './sample-pipeline.ts'

const request = { model: 'fish', dataset: 'fish' }

/** Answers with the job of a key, in the state given for its place in the order of asking. */
function trainer(states: readonly string[]) {
  const keys: string[] = []
  const job = (state: string | undefined, index: number) => ({
    ...{ jobId: `job-${index}`, model: 'fish', dataset: 'fish', parameters: {}, state, attempt: 0, maxAttempts: 3, runId: null, cause: '', requestedBy: 'x' },
    ...{ progress: 0, message: '', metrics: {}, createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, endedAt: null },
  })
  const send: Parameters<typeof requestTraining>[0]['send'] = async (_method, _path, _body, response, key = '') => {
    keys.push(key)
    return response.parse(job(states[keys.length - 1], keys.length))
  }
  return { keys, client: { send } }
}

test.each(['queued', 'running', 'succeeded'])('a start goes on with the job of an earlier one that is %s', async (state) => {
  const { keys, client } = trainer([state])
  expect((await requestTraining(client, request)).jobId).toBe('job-1')
  expect(keys).toEqual(['sample-first-training'])
})

test('a job that failed for good has a successor, and so has that one', async () => {
  const { keys, client } = trainer(['failed', 'timed_out', 'queued'])
  expect((await requestTraining(client, request)).jobId).toBe('job-3')
  expect(keys).toEqual(['sample-first-training', 'sample-first-training-after-job-1', 'sample-first-training-after-job-2'])
})
