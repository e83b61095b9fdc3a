import type { LoggedDataset } from '@millrace/contracts/client/tracking-client.ts'

const SHOWN_DIGITS = 8

/** The data that a run was trained on, as tracking keeps it: MLflow's digest is short; the whole one travels in the source and in the run's tags. */
export const trainingData = (data: { name: string; path: string; digest: string; profile: Readonly<Record<string, unknown>> }): LoggedDataset => ({
  name: data.name,
  digest: data.digest.slice(0, SHOWN_DIGITS),
  sourceType: 'local',
  source: JSON.stringify({ uri: data.path, sha256: data.digest }),
  profile: JSON.stringify(data.profile),
  context: 'training',
})
