import type { IncomingMessage } from 'node:http'
import { HEADER_VERSION } from '@millrace/contracts/http/inference.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { wantedBy } from '../domain/serving-plan.ts'
import type { ServedModel } from '../served-model.ts'

/** The version or label that is asked for; null: none. */
export interface VersionWish {
  readonly version: string | null
  readonly label: string | null
}

/** What the version segment of a path names: a version of the model, else one of its labels (`production`, `canary`, `staging`, ...). */
export function wishFor(served: ServedModel, segment: string | null): VersionWish {
  if (segment === null) return { version: null, label: null }
  const wanted = wantedBy(served.state)
  const isLabel = !wanted.some(({ version }) => version === segment) && wanted.some(({ arm }) => arm === segment)
  return isLabel ? { version: null, label: segment } : { version: segment, label: null }
}

const MAX_LENGTH = 256

/**
 * What a prediction asks for: what the header says, with which testers try a version that gets no traffic, or no more than a share, without another path; else what the request
 * itself names. @throws AppError BAD_REQUEST where the two differ
 */
export function wishOf(served: ServedModel, { headers }: Pick<IncomingMessage, 'headers'>, named: VersionWish): VersionWish {
  const header = headers[HEADER_VERSION]
  if (header === undefined) return named
  if (typeof header !== 'string' || header === '' || header.length > MAX_LENGTH) {
    throw new AppError('BAD_REQUEST', `The header ${HEADER_VERSION} must be a version or a label of at most ${MAX_LENGTH} characters.`)
  }
  const asked = wishFor(served, header)
  const isNamed = named.version !== null || named.label !== null
  if (!isNamed || (named.version === asked.version && named.label === asked.label)) return asked
  throw new AppError('BAD_REQUEST', `The header ${HEADER_VERSION} asks for one version and the request itself names another: send one of them.`)
}
