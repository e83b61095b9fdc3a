import type { LogSettings } from './model-settings.ts'

export type FeatureValue = number | string | null

const KEPT_CHARACTERS = 3
const KEPT_DIGITS = 2

/** The first characters of a text, the leading digits of a number. */
const truncate = (value: number | string): number | string =>
  typeof value === 'number' ? (Number.isFinite(value) ? Number(value.toPrecision(KEPT_DIGITS)) : value) : [...value].slice(0, KEPT_CHARACTERS).join('')

/** Applies a model's policy to one value; undefined: it is left out. `digest` is a keyed hash: without its key nobody can try values. */
function redactOne(name: string, value: FeatureValue, { redact }: LogSettings, digest: (text: string) => string): FeatureValue | undefined {
  const action = redact.get(name)
  if (action === undefined) return value
  if (action === 'drop') return undefined
  if (value === null) return null
  return action === 'hash' ? `hash:${digest(JSON.stringify([name, value]))}` : truncate(value)
}

export interface CappedFeatures {
  readonly features: Record<string, FeatureValue>
  readonly bytes: number
  readonly capped: boolean
}

/** Features as they may leave the pod: redacted, then as many in their order as the caps allow. Bytes are those of names and texts, eight for a number. */
export function redactFeatures(features: Iterable<readonly [string, FeatureValue]>, policy: LogSettings, digest: (text: string) => string): CappedFeatures {
  const kept: [string, FeatureValue][] = []
  let bytes = 0
  for (const [name, value] of features) {
    const told = redactOne(name, value, policy, digest)
    if (told === undefined) continue
    const size = 2 * name.length + (typeof told === 'string' ? 2 * told.length : 8)
    if (kept.length >= policy.maxFeatures || bytes + size > policy.maxBytes) return { features: Object.fromEntries(kept), bytes, capped: true }
    kept.push([name, told])
    bytes += size
  }
  return { features: Object.fromEntries(kept), bytes, capped: false }
}
