import { AppError } from '../errors.ts'
import type { ServiceIdentity } from '../http/identity.ts'
import { createIdentity } from '../http/signed-identity.ts'
import type { ServiceKeys } from './key-settings.ts'

/** @throws AppError INVALID_PARAMETER_VALUE when the two settings do not belong together: every call would be refused */
export function openIdentity(service: string, { SERVICE_PRIVATE_KEY: privateKeyJwk, SERVICE_PUBLIC_KEYS: publicJwks }: ServiceKeys): ServiceIdentity {
  const own = publicJwks[service]
  const known = Object.keys(publicJwks).join(', ')
  if (!own) throw new AppError('INVALID_PARAMETER_VALUE', `SERVICE_PUBLIC_KEYS has no key of ${service}, only of ${known || 'nobody'}: add it`)
  if (own.x !== privateKeyJwk.x) {
    throw new AppError('INVALID_PARAMETER_VALUE', `SERVICE_PRIVATE_KEY is not the one that SERVICE_PUBLIC_KEYS names for ${service}: make both anew together`)
  }
  return createIdentity({ service, privateKeyJwk, publicJwks })
}
