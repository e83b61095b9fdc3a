import { chooseArm } from '../choose-arm.ts'
import { type ServedArm, type ServedModel, servedArms } from '../served-model.ts'

/** The arm that a path about a model means: the one it names, else Production, else whatever is loaded. @throws AppError 404 or 503 */
export function armFor(served: ServedModel, wish: { version: string | null; label: string | null }): ServedArm {
  const unnamed = wish.version === null && wish.label === null
  const first = unnamed && !served.production ? servedArms(served)[0] : undefined
  return first ?? chooseArm({ ...served, candidates: unnamed ? [] : served.candidates }, { ...wish, routingKey: '' })
}
