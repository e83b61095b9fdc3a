import { createHash, randomBytes } from 'node:crypto'
import { sealResponse } from '@millrace/contracts/http/tracking.ts'
import { freshBlobs, freshPlace, s3Address } from '@millrace/platform/blobs/s3.fixture.ts'
import { createS3External } from '@millrace/platform/blobs/s3-external.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startTracking } from '../testing/start-tracking.ts'

describeWith('s3', () => {
  test('artifacts that a client writes to its own bucket are listed, downloaded and sealed', async () => {
    const { bucket, ...connection } = s3Address
    const written = freshPlace()
    const roots = [{ bucket, key: written.prefix.slice(0, -1) }]
    const external = createS3External({ ...connection, roots })
    const { blobs } = await freshBlobs()
    const tracking = await startTracking({ TRACKING_ARTIFACT_ROOTS: roots }, () => blobs, external.value)
    onTestFinished(async () => {
      await tracking.stop()
      await external.stop()
    })
    const { call, callAsRegistry } = tracking.value
    const location = `s3://${bucket}/${written.prefix}fish`
    const experiment = await call('POST', 'experiments/create', { body: { name: 'far', artifact_location: location } })
    const run = await call('POST', 'runs/create', { body: { experiment_id: experiment.text('experiment_id') } })
    const runId = run.text('run', 'info', 'run_id')
    const root = run.text('run', 'info', 'artifact_uri')
    expect(root).toBe(`${location}/${runId}/artifacts`)

    const weights = randomBytes(20_000_000)
    await written.write(`fish/${runId}/artifacts/model/model.onnx`, weights)
    await written.write(`fish/${runId}/artifacts/model/MLmodel`, 'flavors: {}')
    expect((await call('GET', `artifacts/list?run_id=${runId}`)).json).toEqual({ root_uri: root, files: [{ path: 'model', is_dir: true }] })
    expect((await call('GET', `/get-artifact?run_id=${runId}&path=model/model.onnx`)).bytes.equals(weights)).toBe(true)

    const sealing = () => callAsRegistry('POST', '/api/v1/artifacts/manifests', { body: { source: `runs:/${runId}/model`, holder: 'registry:fish/1' } })
    const sealed = sealResponse.parse((await sealing()).json)
    const sha256 = createHash('sha256').update(weights).digest('hex')
    expect(sealed).toMatchObject({
      uri: `${root}/model`,
      runId,
      files: [
        { path: 'MLmodel', sizeBytes: 11 },
        { path: 'model.onnx', sha256 },
      ],
    })
    await written.write(`fish/${runId}/artifacts/model/model.onnx`, 'overwritten')
    expect((await blobs.read(sha256, weights.length)).equals(weights)).toBe(true)
    expect(sealResponse.parse((await sealing()).json).sha256).not.toBe(sealed.sha256)
  })
})
