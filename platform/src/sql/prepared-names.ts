/** Statements that are asked for again and again are worth keeping prepared, by a name that is theirs on every connection. */
export interface PreparedNames {
  /** The name under which to prepare the statement; undefined while it is not worth it. */
  nameOf(text: string): string | undefined
}

const WORTH_AFTER = 8
const MAX_NAMES = 200
const MAX_COUNTED = 2_000

/** At most 200 statements, the first that were asked for eight times: the texts of searches are endless, and each prepared one takes memory on every connection. */
export function createPreparedNames(): PreparedNames {
  const names = new Map<string, string>()
  let counts = new Map<string, number>()
  return {
    nameOf(text) {
      const name = names.get(text)
      if (name !== undefined || names.size >= MAX_NAMES) return name
      const count = (counts.get(text) ?? 0) + 1
      if (count >= WORTH_AFTER) {
        counts.delete(text)
        names.set(text, `s${names.size}`)
        return names.get(text)
      }
      if (counts.size >= MAX_COUNTED) counts = new Map()
      counts.set(text, count)
      return undefined
    },
  }
}
