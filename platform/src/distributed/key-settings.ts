import type { JWK } from 'jose'
import { z } from 'zod'

const BYTES_32 = /^[A-Za-z0-9_-]{43}$/

const publicKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().regex(BYTES_32) })
const privateKey = publicKey.extend({ d: z.string().regex(BYTES_32) })

/** A setting that is JSON of a given shape. What is wrong is told without the value: it may be a secret. */
const json = <Schema extends z.ZodType>(schema: Schema, expected: string) =>
  z.string(`expected ${expected}`).transform((text, context): z.infer<Schema> => {
    try {
      return schema.parse(JSON.parse(text))
    } catch {
      context.addIssue({ code: 'custom', message: `expected ${expected}` })
      return z.NEVER
    }
  })

/** How services prove who they are to each other: an Ed25519 key of their own, and the public keys of all by service name (RFC 8037). */
export const keySettings = {
  SERVICE_PRIVATE_KEY: json(privateKey, "an Ed25519 private key as a JSON Web Key (kty 'OKP', crv 'Ed25519', x, d)"),
  SERVICE_PUBLIC_KEYS: json(z.record(z.string(), publicKey), 'a JSON object of Ed25519 public keys (JSON Web Keys) by service name'),
}

export interface ServiceKeys {
  readonly SERVICE_PRIVATE_KEY: JWK
  readonly SERVICE_PUBLIC_KEYS: Readonly<Record<string, JWK>>
}
