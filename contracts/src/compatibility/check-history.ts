import { compareSchemas } from './compare-schemas.ts'
import type { JsonSchema, Problem } from './json-schema.ts'
import { findUnknownKeywords } from './keywords.ts'
import { usedNames } from './used-names.ts'

/** A minor of one major: what was published, or is about to be. */
export interface Minor {
  readonly minor: number
  readonly schema: JsonSchema
}

/** A problem of one minor, and the earlier one it disagrees with, if any. */
export interface HistoryProblem extends Problem {
  readonly minor: number
  readonly against: number | null
}

/**
 * All that is wrong with the minors of one event type: each is compared with every earlier one, so that a name that was once used never comes back with
 * another meaning. `reserved` lists places, such as `$.artifact.url`, that no minor may use: names that were retired before anything was published.
 */
export function checkHistory(history: readonly Minor[], reserved: readonly string[] = []): readonly HistoryProblem[] {
  const minors = [...history].sort((a, b) => a.minor - b.minor)
  const understood = minors.filter(({ schema }) => findUnknownKeywords(schema).length === 0)
  return minors.flatMap((newer, index) => {
    const own = [...checkNumber(newer, index), ...findUnknownKeywords(newer.schema)]
    if (own.length > 0) return own.map((found) => ({ ...found, minor: newer.minor, against: null }))
    const forbidden = usedNames(newer.schema)
      .filter(({ path }) => reserved.includes(path))
      .map(({ path }) => ({ path, message: 'is a reserved name', minor: newer.minor, against: null }))
    const earlier = understood.filter((older) => older.minor < newer.minor).flatMap((older) => against(older, newer))
    return [...forbidden, ...earlier]
  })
}

function checkNumber({ minor }: Minor, index: number): readonly Problem[] {
  return minor === index ? [] : [{ path: '#', message: `expected minor ${index} here: minors count up from 0 without a gap` }]
}

function against(older: Minor, newer: Minor): readonly HistoryProblem[] {
  return compareSchemas(older.schema, newer.schema).map((found) => ({ ...found, minor: newer.minor, against: older.minor }))
}
