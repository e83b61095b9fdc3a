import { z } from 'zod'

export const roleName = z.enum(['viewer', 'user', 'editor', 'promoter', 'admin'])

/** POST /api/v1/keys: the key itself is in this answer and never again. */
export const apiKeyRequest = z.strictObject({ name: z.string().min(1).max(128), role: roleName, expiresInDays: z.int().min(1).max(3650).optional() })
export const apiKey = z.looseObject({
  keyId: z.string(),
  name: z.string(),
  role: roleName,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
})
export const apiKeyCreated = z.looseObject({ key: z.string(), ...apiKey.shape })
export const apiKeys = z.looseObject({ keys: z.array(apiKey) })

/** GET /ready at the gateway. */
export const gatewayReady = z.looseObject({ ready: z.boolean(), parts: z.record(z.string(), z.looseObject({ ready: z.boolean() })) })

/** GET /api/v1/calls: administrative calls, newest first. `next` is the value of `before` for the next page, null on the last. */
export const auditEntries = z.looseObject({
  entries: z.array(
    z.looseObject({
      position: z.int(),
      at: z.iso.datetime(),
      requestId: z.string(),
      /** Empty where nobody was recognised. */
      user: z.string(),
      role: z.string(),
      address: z.string(),
      method: z.string(),
      path: z.string(),
      status: z.int(),
    }),
  ),
  next: z.int().nullable(),
})
