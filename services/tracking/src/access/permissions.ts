import type { PermissionTable } from '@millrace/platform/access/map-permissions.ts'
import { onExperiment } from '@millrace/platform/access/permission.ts'

const MLFLOW = ['/api/2.0', '/ajax-api/2.0', '/api/3.0', '/ajax-api/3.0']
/** What the paths of the table below are under. */
export const prefixes = MLFLOW.flatMap((prefix) => [`${prefix}/mlflow`, `${prefix}/mlflow-artifacts`])

const read = (of: string) => onExperiment('READ', of)
const edit = (of: string) => onExperiment('EDIT', of)
const manage = (of: string) => onExperiment('MANAGE', of)

/** As MLflow's own table of validators has it: deleting and restoring needs MANAGE, all other changes EDIT. */
export const permissions: PermissionTable = {
  'GET /version': 'public',
  'GET /server-info': 'caller',
  'POST /server-info': 'caller',
  'POST /experiments/create': onExperiment('CREATE', 'new-experiment'),
  'GET /experiments/get': read('experiment'),
  'GET /experiments/get-by-name': read('experiment-name'),
  'POST /experiments/update': edit('experiment'),
  'POST /experiments/delete': manage('experiment'),
  'POST /experiments/restore': manage('experiment'),
  'POST /experiments/set-experiment-tag': edit('experiment'),
  'POST /experiments/delete-experiment-tag': edit('experiment'),
  'POST /experiments/search': read('listing'),
  'GET /experiments/search': read('listing'),
  'GET /experiments/list': read('listing'),
  'POST /experiments/search-datasets': read('experiments'),
  'POST /runs/create': edit('experiment-of-run'),
  'GET /runs/get': read('run'),
  'POST /runs/search': read('listing'),
  'POST /runs/update': edit('run'),
  'POST /runs/delete': manage('run'),
  'POST /runs/restore': manage('run'),
  'POST /runs/log-metric': edit('run'),
  'POST /runs/log-parameter': edit('run'),
  'POST /runs/log-batch': edit('run'),
  'POST /runs/log-inputs': edit('run'),
  'POST /runs/log-model': edit('run'),
  'POST /runs/outputs': edit('run'),
  'POST /runs/set-tag': edit('run'),
  'POST /runs/delete-tag': edit('run'),
  'GET /metrics/get-history': read('run'),
  'GET /metrics/get-history-bulk': read('runs'),
  'GET /metrics/get-history-bulk-interval': read('runs'),
  'POST /logged-models/search': read('listing'),
  'POST /logged-models': edit('experiment'),
  'GET /logged-models/:model_id': read('logged-model'),
  'PATCH /logged-models/:model_id': edit('logged-model'),
  'DELETE /logged-models/:model_id': manage('logged-model'),
  'PATCH /logged-models/:model_id/tags': edit('logged-model'),
  'DELETE /logged-models/:model_id/tags/:key': edit('logged-model'),
  'POST /logged-models/:model_id/params': edit('logged-model'),
  'GET /logged-models/:model_id/artifacts/directories': read('logged-model'),
  'GET /logged-models/:model_id/artifacts/files': read('logged-model'),
  'GET /artifacts/list': read('run'),
  'GET /get-artifact': read('run'),
  'POST /upload-artifact': edit('run'),
  'GET /artifacts': read('artifact-path'),
  'GET /artifacts/*path': read('artifact-path'),
  'PUT /artifacts/*path': edit('artifact-path'),
  'DELETE /artifacts/*path': manage('artifact-tree'),
  'POST /mpu/create/*path': edit('artifact-path'),
  'POST /mpu/complete/*path': edit('artifact-path'),
  'POST /mpu/abort/*path': edit('artifact-path'),
  'GET /presigned/*path': read('artifact-path'),
  // Whoever holds the token of an upload was given it by somebody with the right to begin one.
  'PUT /uploads/:upload_id/:part_number': 'public',
  'POST /artifacts/presigned-upload-url': edit('run-or-model'),
  'POST /artifacts/presigned-download-url': read('run'),
  'GET /api/v1/runs/compare': read('runs'),
  'GET /api/v1/runs/:run_id/reproduction': read('run'),
  'GET /api/v1/experiments/:id/best': read('experiment'),
  'POST /api/v1/artifacts/manifests': 'service',
  'POST /api/v1/artifacts/releases': 'service',
  'GET /api/v1/owners': 'service',
  'POST /api/v1/sources': 'service',
}
