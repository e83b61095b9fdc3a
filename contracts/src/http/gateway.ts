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
