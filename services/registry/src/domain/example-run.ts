import type { RunFinished } from '@millrace/contracts/events/run-events.ts'

/** A finished run, for the tests of this folder. */
export const exampleRun = (rest: Partial<RunFinished> = {}): RunFinished => ({
  runId: 'abc',
  experimentId: '1',
  runName: 'bold-perch',
  user: 'ana',
  status: 'FINISHED',
  startTime: '2026-01-01T00:00:00.000Z',
  endTime: '2026-01-01T00:01:00.000Z',
  artifactUri: 'mlflow-artifacts:/1/abc/artifacts',
  tags: { team: 'fish', species: 'trout' },
  params: { lr: '0.1' },
  metrics: { val_accuracy: 0.93 },
  datasets: [{ name: 'fish', digest: 'sha256:1', context: 'train' }],
  outputs: [],
  ...rest,
})
