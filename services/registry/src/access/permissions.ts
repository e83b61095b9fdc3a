import type { PermissionTable } from '@millrace/platform/access/map-permissions.ts'
import { onModel } from '@millrace/platform/access/permission.ts'

const read = onModel('READ', 'model')
const edit = onModel('EDIT', 'model')
const manage = onModel('MANAGE', 'model')
const promote = onModel('PROMOTE', 'model')
const listing = onModel('READ', 'listing')

/** As MLflow's own table of validators has it, and PROMOTE for all that changes what is served. Moving to Production asks for it besides EDIT. */
export const permissions: PermissionTable = {
  'POST /registered-models/create': onModel('CREATE', 'new-model'),
  'GET /registered-models/get': read,
  'GET /registered-models/search': listing,
  'GET /registered-models/list': listing,
  'PATCH /registered-models/update': edit,
  'POST /registered-models/rename': edit,
  'DELETE /registered-models/delete': manage,
  'POST /registered-models/set-tag': edit,
  'DELETE /registered-models/delete-tag': edit,
  'GET /registered-models/alias': read,
  'POST /registered-models/alias': edit,
  'DELETE /registered-models/alias': edit,
  'GET /registered-models/get-latest-versions': read,
  'POST /registered-models/get-latest-versions': read,
  'POST /model-versions/create': onModel('EDIT', 'new-version'),
  'GET /model-versions/get': read,
  'GET /model-versions/get-download-uri': read,
  'GET /model-versions/search': listing,
  'PATCH /model-versions/update': edit,
  'DELETE /model-versions/delete': manage,
  'POST /model-versions/set-tag': edit,
  'DELETE /model-versions/delete-tag': edit,
  'POST /model-versions/transition-stage': edit,
  'GET /model-versions/get-artifact': read,
  'POST /webhooks': 'admin',
  'GET /webhooks': 'admin',
  'GET /webhooks/:webhook_id': 'admin',
  'PATCH /webhooks/:webhook_id': 'admin',
  'DELETE /webhooks/:webhook_id': 'admin',
  'POST /webhooks/:webhook_id/test': 'admin',
  'GET /api/v1/webhooks/:webhook_id/deliveries': 'admin',
  'POST /api/v1/webhooks/:webhook_id/deliveries/:delivery_id/redelivery': 'admin',
  'GET /api/v1/models': listing,
  'GET /api/v1/models/:name': read,
  'GET /api/v1/models/:name/versions/:version': read,
  'GET /api/v1/models/:name/versions/:version/lineage': read,
  'GET /api/v1/models/:name/versions/:version/reproduction': read,
  'GET /api/v1/models/:name/audit': onModel('READ', 'audited-model'),
  'PUT /api/v1/models/:name/rollout': promote,
  'POST /api/v1/models/:name/rollback': promote,
  'GET /api/v1/models/:name/serving-settings': read,
  'PUT /api/v1/models/:name/serving-settings': promote,
  // They take runs of any experiment to any model.
  'GET /api/v1/registration-policies': onModel('READ', 'every-model'),
  'GET /api/v1/registration-policies/:name': onModel('READ', 'every-model'),
  'PUT /api/v1/registration-policies/:name': onModel('EDIT', 'every-model'),
  'DELETE /api/v1/registration-policies/:name': onModel('EDIT', 'every-model'),
  'GET /api/v1/serving-state': listing,
  'GET /api/v1/audit/head': 'admin',
  'GET /api/v1/audit/export': 'admin',
  'GET /api/v1/owners': 'service',
}
