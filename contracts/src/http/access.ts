import { z } from 'zod'

/** GET /api/v1/owners of tracking and registry, for the gateway: who made what; `id` is an experiment's. */
export const ownersResponse = z.looseObject({ owned: z.array(z.looseObject({ id: z.string().optional(), name: z.string(), owner: z.string() })) })

/** POST /api/v1/sources of tracking, for the registry: whose are the files, and the run, that a version is made of. */
export const sourceRequest = z.strictObject({ source: z.string().max(2048), runId: z.string().max(256).optional() })
export const sourceResponse = z.looseObject({
  experiments: z.array(z.looseObject({ id: z.string(), name: z.string(), owner: z.string().nullable() })),
})
