import { oidcAlgorithms } from '@millrace/platform/access/oidc.ts'
import { levels } from '@millrace/platform/access/rights.ts'
import { roles } from '@millrace/platform/http/identity.ts'
import { z } from 'zod'

const role = z.enum(roles)
const list = (text: string): string[] => text.split(',').flatMap((item) => item.trim() || [])
const secureUrl = z.url({ protocol: /^https?$/ }).refine(isSecure, 'must begin with https:// (http:// is for an issuer on this machine)')

function isSecure(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}

/** `staff=editor,ml-admins=admin` */
const roleMap = z
  .string()
  .default('')
  .transform((text, context) => {
    const pairs = list(text).map((pair) => [pair.slice(0, pair.lastIndexOf('=')), role.safeParse(pair.slice(pair.lastIndexOf('=') + 1)).data] as const)
    for (const [value, known] of pairs) if (!value || !known) context.addIssue(`expected <value>=<role>, with one of ${roles.join(', ')}`)
    return new Map(pairs.flatMap(([value, known]) => (known ? [[value, known] as const] : [])))
  })

/** Who may do what where no grant says so, and the OIDC issuer whose tokens are taken. */
export const accessSettings = {
  /** On experiments and models that no grant names, at most this level, as MLflow's `default_permission`; left out, the role alone decides. */
  GATEWAY_DEFAULT_PERMISSION: z.enum(levels).optional(),
  GATEWAY_OIDC_ISSUER: secureUrl.optional(),
  /** What the tokens must be meant for. */
  GATEWAY_OIDC_AUDIENCE: z.string().min(1).default('millrace'),
  /** Where the issuer's keys are, where it does not tell by itself. */
  GATEWAY_OIDC_JWKS_URL: secureUrl.optional(),
  GATEWAY_OIDC_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA')
    .transform(list)
    .pipe(z.array(z.enum(oidcAlgorithms)).min(1)),
  GATEWAY_OIDC_CLOCK_SKEW_SECONDS: z.coerce.number().int().min(0).max(300).default(30),
  GATEWAY_OIDC_USER_CLAIM: z.string().min(1).default('sub'),
  GATEWAY_OIDC_GROUPS_CLAIM: z.string().min(1).default('groups'),
  GATEWAY_OIDC_ROLE_CLAIM: z.string().min(1).default('role'),
  GATEWAY_OIDC_ROLES: roleMap,
  /** Of a token that names no role; `none` refuses it. */
  GATEWAY_OIDC_DEFAULT_ROLE: z.enum([...roles, 'none']).default('viewer'),
}
