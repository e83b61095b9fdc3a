import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import { type Grant, type GrantLevel, levels, type Rights } from './rights.ts'

/** Longest claim: with all else that a request carries it stays below the 16 KiB of headers that a service reads. */
export const MAX_CLAIM_CHARACTERS = 6144
/** What a claim may grow to when it is read: more than 2,000 grants. */
const MAX_TEXT_BYTES = 262_144

const kinds = ['experiment', 'model'] as const
const ways = ['id', 'name', 'pattern'] as const
const grantLevels: readonly GrantLevel[] = [...levels, 'INHERIT', 'DISOWNED']

/** Per set of properties the values that have it: grants differ in their values most of all. `[kind, by, level, promote, personal, ...values]`. */
const group = z.tuple([z.int(), z.int(), z.int(), z.boolean(), z.boolean()], z.string())
const content = z.tuple([z.int(), z.array(group)])

const propertiesOf = ({ kind, by, level, promote, personal }: Grant) =>
  [kinds.indexOf(kind), ways.indexOf(by), grantLevels.indexOf(level), promote, personal] as const

/** Rights as a claim of a service token: JSON, deflated, in base64url. Null where they do not fit into a request. */
export function encodeRights({ fallback, grants }: Rights): string | null {
  const groups = Map.groupBy(grants, (grant) => JSON.stringify(propertiesOf(grant)))
  const entries = [...groups.values()].flatMap(([first, ...rest]) => (first ? [[...propertiesOf(first), first.value, ...rest.map(({ value }) => value)]] : []))
  const claim = deflateRawSync(JSON.stringify([levels.indexOf(fallback), entries])).toString('base64url')
  return claim.length <= MAX_CLAIM_CHARACTERS ? claim : null
}

/** Null for what `encodeRights` did not write. */
export function decodeRights(claim: unknown): Rights | null {
  if (typeof claim !== 'string' || claim.length > MAX_CLAIM_CHARACTERS) return null
  const read = content.safeParse(inflate(claim))
  const fallback = read.success ? levels[read.data[0]] : undefined
  if (!read.success || !fallback) return null
  const grants = read.data[1].flatMap(([kindAt, byAt, levelAt, promote, personal, ...values]) => {
    const [kind, by, level] = [kinds[kindAt], ways[byAt], grantLevels[levelAt]]
    return kind && by && level ? values.map((value): Grant => ({ kind, by, value, level, promote, personal })) : []
  })
  return { fallback, grants }
}

function inflate(claim: string): unknown {
  try {
    return JSON.parse(inflateRawSync(Buffer.from(claim, 'base64url'), { maxOutputLength: MAX_TEXT_BYTES }).toString('utf8'))
  } catch {
    return null
  }
}
