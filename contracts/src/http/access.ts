import { z } from 'zod'

/** GET /api/v1/owners of tracking and registry, for the gateway: who made what; `id` is an experiment's. */
export const ownersResponse = z.looseObject({ owned: z.array(z.looseObject({ id: z.string().optional(), name: z.string(), owner: z.string() })) })

/** POST /api/v1/sources of tracking, for the registry: whose are the files, and the run, that a version is made of. */
export const sourceRequest = z.strictObject({ source: z.string().max(2048), runId: z.string().max(256).optional() })
export const sourceResponse = z.looseObject({
  experiments: z.array(z.looseObject({ id: z.string(), name: z.string(), owner: z.string().nullable() })),
})

const name = z.string().min(1).max(256)
export const permissionName = z.enum(['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'])

/** POST /api/v1/access/grants: takes the place of a grant to the same principal on the same resource. */
export const grantRequest = z
  .strictObject({
    /** To whom: a user (the name of an API key or account, the subject of a token), `*` for everybody, or a group. */
    user: name.optional(),
    group: name.optional(),
    resource: z.enum(['experiment', 'model']),
    /** Which: exactly one. `pattern` is a name in which `*` stands for any characters. */
    id: z.string().regex(/^\d+$/, 'the id of an experiment, such as 12').optional(),
    name: name.optional(),
    pattern: name.optional(),
    /** Left out: says nothing about the level. */
    permission: permissionName.optional(),
    /** The right to change what a model serves, which no permission includes. */
    promote: z.boolean().default(false),
  })
  .refine(({ user, group }) => (user === undefined) !== (group === undefined), 'expected exactly one of user and group')
  .refine(
    ({ id, name: exact, pattern }) => [id, exact, pattern].filter((given) => given !== undefined).length === 1,
    'expected exactly one of id, name and pattern',
  )
  .refine(({ resource, id }) => resource === 'experiment' || id === undefined, 'a model is told by name or pattern')
  .refine(({ permission, promote }) => permission !== undefined || promote, 'expected a permission, promote, or both')

export const grant = z.looseObject({
  grantId: z.int(),
  user: z.string().optional(),
  group: z.string().optional(),
  resource: z.enum(['experiment', 'model']),
  id: z.string().optional(),
  name: z.string().optional(),
  pattern: z.string().optional(),
  /** Null where the grant says nothing about the level. */
  permission: permissionName.nullable(),
  promote: z.boolean(),
})
export const grants = z.looseObject({ grants: z.array(grant) })

/** PUT /api/v1/access/groups/{name}: all members; none ends the group. */
export const groupRequest = z.strictObject({ members: z.array(name).max(1000) })
export const groups = z.looseObject({ groups: z.array(z.looseObject({ group: z.string(), members: z.array(z.string()) })) })

/** GET /api/v1/access/me */
export const whoami = z.looseObject({
  user: z.string(),
  role: z.string(),
  /** On what no grant names. */
  fallback: permissionName,
  grants: z.array(z.looseObject({ resource: z.string(), permission: z.string(), promote: z.boolean() })),
})
