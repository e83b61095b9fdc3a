import type { PermissionTable } from '@millrace/platform/access/map-permissions.ts'
import { type Located, type Locators, onModel } from '@millrace/platform/access/permission.ts'
import { mayEverywhere, mayOn } from '@millrace/platform/access/rights.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import { findJob, jobModels } from './job-store.ts'

const BASE = '/api/v1/training'

export const permissions: PermissionTable = {
  [`POST ${BASE}/jobs`]: onModel('EDIT', 'training'),
  [`GET ${BASE}/jobs`]: onModel('READ', 'listing'),
  [`GET ${BASE}/jobs/:id`]: onModel('READ', 'job'),
  [`POST ${BASE}/jobs/:id/cancel`]: onModel('EDIT', 'job'),
  [`GET ${BASE}/jobs/:id/logs`]: onModel('READ', 'job'),
  [`GET ${BASE}/policies/:model`]: onModel('READ', 'model'),
  [`PUT ${BASE}/policies/:model`]: onModel('EDIT', 'model'),
  // They name sealed files, not a model.
  [`POST ${BASE}/evaluations`]: onModel('EDIT', 'every-model'),
  [`GET ${BASE}/evaluations/:id`]: onModel('READ', 'every-model'),
}

const modelParams = z.object({ model: z.string() })
const idParams = z.object({ id: z.string() })
const training = z.looseObject({ model: z.string(), experiment: z.string().optional() })

/** How the trainer finds the model that a request is about. */
export const createLocators = (database: Database): Locators => ({
  model: async ({ params }) => [{ kind: 'model', name: modelParams.parse(params).model }],
  job: async ({ params }) => {
    const stored = await findJob(database, idParams.parse(params).id)
    return stored ? [{ kind: 'model', name: stored.job.model }] : []
  },
  training: async ({ body }) => {
    const { model, experiment } = training.parse(body)
    // Without one the runs go to the experiment that is named after the model.
    const named: Located[] = experiment === undefined || experiment === model ? [] : [{ kind: 'experiment', name: experiment }]
    return [{ kind: 'model', name: model }, ...named]
  },
  'every-model': async () => [{ kind: 'model', name: '' }],
})

/** Models with jobs that a caller may read; null where that is all of them. */
export async function visibleModels(database: Database, caller: Caller): Promise<readonly string[] | null> {
  if (mayEverywhere(caller, 'READ')) return null
  return (await jobModels(database)).filter((name) => mayOn(caller, 'READ', { kind: 'model', name }))
}
