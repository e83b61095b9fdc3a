import { connectApi } from '@millrace/contracts/client/http-api.ts'
import { RegistryClient } from '@millrace/contracts/client/registry-client.ts'
import { TrackingClient } from '@millrace/contracts/client/tracking-client.ts'

/** Logs a run with a loss curve and a file, reads the best runs back, and lists the models that are served. */
const api = connectApi({
  url: process.env['MILLRACE_URL'] ?? 'http://localhost:8080',
  ...(process.env['MILLRACE_KEY'] ? { token: process.env['MILLRACE_KEY'] } : {}),
})
const tracking = new TrackingClient(api)

const experimentId = await tracking.ensureExperiment('typescript-example')
const startTime = Date.now()
const run = await tracking.createRun({ experimentId, name: 'first', user: 'example', startTime, tags: { framework: 'none' }, key: `example-${startTime}` })
const metrics = Array.from({ length: 20 }, (_, step) => ({ key: 'loss', value: 1 / (step + 1), timestamp: startTime + step, step }))
await tracking.logBatch(run.runId, { params: { learning_rate: '0.1' }, metrics }, 'curve')
await tracking.uploadArtifact(run, 'notes/readme.txt', () => new Blob(['logged from TypeScript\n']).stream())
await tracking.endRun({ runId: run.runId, status: 'FINISHED', endTime: new Date() })

for await (const { info, data } of tracking.searchRuns({ experimentIds: [experimentId], orderBy: ['metrics.loss ASC'], pageSize: 10 })) {
  console.log(info.run_id, info.status, data.metrics?.find(({ key }) => key === 'loss')?.value)
}
for (const { model, production } of await new RegistryClient(api).models())
  console.log(model, production ? `version ${production.version} in Production` : 'not served')
