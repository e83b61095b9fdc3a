import { invalid } from '../refusals.ts'

const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/

/** A run by `run_id`, or by the `run_uuid` of older clients. @throws AppError INVALID_PARAMETER_VALUE in MLflow's words */
export function requireRunId(reference: { run_id?: string | undefined; run_uuid?: string | undefined }): string {
  const runId = reference.run_id || reference.run_uuid
  if (!runId) throw invalid("Missing value for required parameter 'run_id'. See the API docs for more information about request parameters.")
  if (!RUN_ID.test(runId)) throw invalid(`Invalid run ID: '${runId.slice(0, 100)}'`)
  return runId
}
