import { wantedBy } from '../domain/serving-plan.ts'
import type { ServedModel } from '../served-model.ts'

/** What the version segment of a path names: a version of the model, else one of its labels (`production`, `canary`, `staging`, ...). */
export function wishFor(served: ServedModel, segment: string | null): { version: string | null; label: string | null } {
  if (segment === null) return { version: null, label: null }
  const wanted = wantedBy(served.state)
  const isLabel = !wanted.some(({ version }) => version === segment) && wanted.some(({ arm }) => arm === segment)
  return isLabel ? { version: null, label: segment } : { version: segment, label: null }
}
