import { z } from 'zod'

const one = z.string().min(1).max(256)

/**
 * One limit. `key` is the name of an API key, `model` that of a model; `*` stands for each one by itself, and a name left out for all together:
 * `{"key": "*", "model": "fish", "limit": 100}` gives every key 100 predictions of fish per second. `inFlight` bounds those in progress at once instead.
 */
const quota = z.union([
  z.strictObject({ key: one.optional(), model: one.optional(), limit: z.int().min(1), seconds: z.int().min(1).max(86_400).default(1) }),
  z.strictObject({ key: one.optional(), model: one.optional(), inFlight: z.int().min(1).max(100_000) }),
])
export type Quota = z.infer<typeof quota>

const EXPECTED = 'expected a JSON array such as [{"key": "*", "model": "fish", "limit": 100, "seconds": 1}, {"key": "ana", "inFlight": 8}]'

/** Limits by key and model. */
export const quotaSettings = {
  GATEWAY_QUOTAS: z
    .string(EXPECTED)
    .default('[]')
    .transform((text, context): readonly Quota[] => {
      const parsed = z.array(quota).max(1000).safeParse(parseJson(text))
      if (parsed.success) return parsed.data
      context.addIssue({ code: 'custom', message: EXPECTED })
      return z.NEVER
    }),
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
