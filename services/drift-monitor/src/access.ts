import type { PermissionTable } from '@millrace/platform/access/map-permissions.ts'
import { type Locators, onModel } from '@millrace/platform/access/permission.ts'
import { z } from 'zod'

export const permissions: PermissionTable = {
  'GET /api/v1/drift/policies/:model': onModel('READ', 'model'),
  'PUT /api/v1/drift/policies/:model': onModel('EDIT', 'model'),
  'GET /api/v1/drift/models/:model': onModel('READ', 'model'),
  'POST /api/v1/labels': onModel('USE', 'labelled-models'),
}

const modelParams = z.looseObject({ model: z.string() })
const labels = z.looseObject({ labels: z.array(z.looseObject({ model: z.string() })) })

/** The models that a request is about are in its path, or beside its labels. */
export const locators: Locators = {
  model: async ({ params }) => [{ kind: 'model', name: modelParams.parse(params).model }],
  'labelled-models': async ({ body }) => [...new Set(labels.parse(body).labels.map(({ model }) => model))].map((name) => ({ kind: 'model' as const, name })),
}
