import { lookup, Resolver } from 'node:dns/promises'

export interface FoundAddress {
  readonly address: string
  /** How long it holds. */
  readonly ttlSeconds: number
}

export interface FoundTarget {
  readonly name: string
  readonly port: number
}

/** What DNS is asked. Rejects with `code` ENOTFOUND or ENODATA where the name has no records, with anything else where DNS cannot be asked. */
export interface ResolveNames {
  addresses(name: string): Promise<readonly FoundAddress[]>
  targets(name: string): Promise<readonly FoundTarget[]>
}

const TIMEOUT_MS = 2000
/** The system's resolver tells no lifetime. */
const UNKNOWN_TTL_SECONDS = 5

const isNoRecord = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENODATA' || error.code === 'ENOTFOUND')

/** Asks the name servers of the system, or of `servers`. A name without a dot that they do not know is looked up as programs do it: search domains, hosts file. */
export function createResolveNames(servers?: readonly string[]): ResolveNames {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
  if (servers) resolver.setServers(servers)
  const ofFamily = async (name: string, family: 4 | 6): Promise<FoundAddress[]> => {
    const records = family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true })
    return (await records).map(({ address, ttl }) => ({ address, ttlSeconds: ttl }))
  }
  return {
    async addresses(name) {
      const [v4, v6] = await Promise.allSettled([ofFamily(name, 4), ofFamily(name, 6)])
      // One family that fails for another reason than having no records leaves the list incomplete: that is no news.
      for (const part of [v4, v6]) if (part.status === 'rejected' && !isNoRecord(part.reason)) throw part.reason
      const found = [v4, v6].flatMap((part) => (part.status === 'fulfilled' ? part.value : []))
      if (found.length > 0 || servers) return found
      return (await lookup(name, { all: true })).map(({ address }) => ({ address, ttlSeconds: UNKNOWN_TTL_SECONDS }))
    },
    async targets(name) {
      const records = await resolver.resolveSrv(name)
      // RFC 2782: the lowest priority alone, the others are for when none of it answers. Headless services have one.
      const first = Math.min(...records.map(({ priority }) => priority))
      return records.flatMap((record) => (record.priority === first ? { name: record.name, port: record.port } : []))
    },
  }
}
